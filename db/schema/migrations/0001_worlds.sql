--! additive
--
-- Which incarnation of a world is the one, and whether it is seeded. One row per world that was
-- ever seeded; the row stays when the world is removed, because no incarnation is used twice.

create extension if not exists postgis with schema public;

create table leasehold.world (
  name              text        primary key check (name ~ '^[A-Za-z0-9_-]{1,64}$'),
  -- L2: the highest number ever used; the next one is above it.
  last_incarnation  bigint      not null check (last_incarnation >= 0),
  -- What is known of the incarnation in force, and of the one being seeded.
  ready             jsonb,
  seeding           jsonb,
  -- Incarnations that nobody may use any more and whose keys may still exist in Redis.
  leftovers         bigint[]    not null default '{}',
  changed_at        timestamptz not null default now(),

  check (ready is null or (ready ->> 'incarnation')::bigint <= last_incarnation),
  check (seeding is null or (seeding ->> 'incarnation')::bigint <= last_incarnation)
);
