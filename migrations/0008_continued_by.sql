-- Who an operation goes on in the name of, since another than its requester brought the tokens for it and its request's hash.
-- Who asked for it first stays where it is.
alter table operations add column continued_by uuid;
alter table operations add column continued_app uuid;
