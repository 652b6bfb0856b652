--! additive
--
-- Cells that sleep. Nothing of them is left in Redis but a mark of the state they are in: the row with
-- that mark is the only copy of that cell. Rows of earlier states stay for an hour, as Redis may come
-- back from a failover that lost the moment in which the cell woke.

create table leasehold.cold_cell (
  world        text         not null,
  incarnation  bigint       not null,
  layer        text         not null,
  cell         integer      not null,
  -- The first four bytes of a SHA-1 of the hash.
  mark         bigint       not null check (mark between 1 and 4294967295),
  seq          bigint       not null,
  hash         text         not null,
  tick         bigint       not null,
  -- As Redis had it, field by field.
  head         jsonb        not null,
  posted       text[]       not null,
  geo          text[]       not null,
  bytes        bytea        not null,
  slept_at     timestamptz  not null default now(),

  primary key (world, incarnation, layer, cell, mark)
);

-- Columns of numbers do not get smaller, and trying takes time.
alter table leasehold.cold_cell alter column bytes set storage external;
