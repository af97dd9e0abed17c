-- What the tenant that an operation waits for demands of the next sign-in: the claims of its challenge, as JSON text, so that
-- they are handed on as they came. Null where no challenge said so.
alter table operations add column awaiting_claims text;
