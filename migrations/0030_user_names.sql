-- The name of a person's account as they last signed in with it, for people to read. It is erased with the row.
alter table people add column user_name text;
