--! additive
--
-- Snapshots. What a snapshot says of a cell and what is in the cell are apart: content is kept once,
-- under its hash, so a cell in which nothing happened costs a row in the next snapshot and no bytes.
-- Everything here is only ever added and deleted, but for the state of a snapshot. The tables are
-- the product's own; people ask the views of the schema history.

create table leasehold.snapshot (
  number        integer     generated always as identity primary key,
  id            text        not null unique check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  world         text        not null,
  incarnation   bigint      not null,
  tick          bigint      not null check (tick >= 0),
  state         text        not null default 'taking' check (state in ('taking', 'complete')),
  taken_at      timestamptz not null default now(),
  -- Whoever takes it says so again and again; one that is silent for long is dead.
  touched_at    timestamptz not null default now(),
  completed_at  timestamptz,
  created_by    text        not null default session_user,
  facts         jsonb       not null,
  layers        text[]      not null check (cardinality(layers) > 0),
  srid          integer     not null check (srid in (0, 4326)),
  grid_columns  integer     not null check (grid_columns > 0),
  grid_rows     integer     not null check (grid_rows > 0),
  cells         bigint,
  entities      bigint,
  in_flight     bigint,
  -- As snapshot_hash gives it.
  hash          bytea,

  check (state = 'taking' or (hash is not null and completed_at is not null))
);

create index snapshot_world on leasehold.snapshot (world, taken_at);

-- Entities are loaded by the batch: those that one snapshot is the first to have, in two batches if
-- they are many. A batch is a partition that gets its indexes when it is whole, which takes a third of
-- the time.
create table leasehold.entity_batch (
  batch      integer  generated always as identity primary key,
  -- Who loads it; that snapshot may be gone while others still use what it brought.
  snapshot   integer  not null,
  is_sealed  boolean  not null default false,
  -- Blobs of it were deleted whose entities are still there.
  is_dirty   boolean  not null default false
);

-- The rows of a cell, or those of a channel entry, as they are in the live store.
create table leasehold.blob (
  number  bigint   generated always as identity primary key,
  sha256  bytea    not null check (octet_length(sha256) = 32),
  -- The same bytes mean other places on a plane and on the globe.
  srid    integer  not null,
  batch   integer  not null references leasehold.entity_batch,
  schema  text     not null,
  count   integer  not null check (count >= 0),
  -- Null: bytes of a channel entry, which stand with the flight of its cell.
  bytes   bytea,

  unique (sha256, srid)
);

-- Columns of numbers do not get smaller, and trying takes time.
alter table leasehold.blob alter column bytes set storage external;
create index blob_batch on leasehold.blob (batch);

create table leasehold.entity (
  batch       integer   not null,
  blob        bigint    not null,
  id          bigint    not null,
  -- Where the layer says who lives where; null in all others.
  geometry    geometry,
  prefab      text,
  components  jsonb     not null
) partition by list (batch);

create table leasehold.snapshot_cell (
  snapshot    integer   not null references leasehold.snapshot on delete cascade,
  layer       smallint  not null,
  cell        integer   not null,
  -- A cell that was captured anew has a higher one; the highest is the one.
  ordinal     bigint    not null,
  seq         bigint    not null,
  hash        text      not null,
  tick        bigint    not null,
  id_counter  bigint    not null,
  asked       bigint    not null,
  out_seq     bigint    not null,
  cursors     jsonb     not null,
  count       integer   not null,
  digest      bytea     not null check (octet_length(digest) = 32),

  primary key (snapshot, layer, cell)
);

-- What was on its way from and to a cell; most have nothing.
create table leasehold.snapshot_flight (
  snapshot   integer   not null,
  layer      smallint  not null,
  cell       integer   not null,
  -- Entities that left for another cell of the layer.
  in_flight  integer   not null,
  bytes      bytea     not null,
  digest     bytea     not null check (octet_length(digest) = 32),

  primary key (snapshot, layer, cell),
  foreign key (snapshot, layer, cell) references leasehold.snapshot_cell on delete cascade
);

-- Which entities belong to a cell of a snapshot. Part 0 is its rows, the others are what it had sent.
create table leasehold.snapshot_part (
  snapshot  integer   not null,
  source    smallint  not null,
  cell      integer   not null,
  part      integer   not null check (part >= 0),
  -- Of the entities: that of the cell, or the one that the entry is for.
  layer     smallint  not null,
  blob      bigint    not null references leasehold.blob,

  primary key (snapshot, source, cell, part),
  foreign key (snapshot, source, cell) references leasehold.snapshot_cell on delete cascade
);

create index snapshot_part_blob on leasehold.snapshot_part (blob, snapshot);

-- Names of partitions are numbers behind a fixed word; nothing else is ever put into a statement.
-- Attached, not created in place: that would wait for everybody who reads any batch.
create function leasehold.entity_batch_open(snapshot integer) returns integer language plpgsql as $$
declare
  opened integer;
  name text;
begin
  insert into leasehold.entity_batch (snapshot) values (snapshot) returning batch into opened;
  name := format('entity_%s', opened);
  execute format('create table leasehold.%I (like leasehold.entity)', name);
  -- Three thousand rows tell a planner enough, and thirty thousand take half a second.
  execute format('alter table leasehold.%I alter column components set statistics 0, '
    'alter column batch set statistics 10, alter column blob set statistics 10, '
    'alter column id set statistics 10, alter column geometry set statistics 10, '
    'alter column prefab set statistics 10', name);
  execute format('alter table leasehold.entity attach partition leasehold.%I for values in (%s)',
    name, opened);
  return opened;
end $$;

create function leasehold.entity_batch_index_area(batch integer) returns void
language plpgsql as $$
begin
  execute format('create index if not exists %I on leasehold.%I using gist (geometry)',
    format('entity_%s_geometry', batch), format('entity_%s', batch));
end $$;

-- Rows of a blob lie together, so the smallest index finds them.
create function leasehold.entity_batch_index_rest(batch integer) returns void
language plpgsql set maintenance_work_mem = '128MB' as $$
begin
  execute format('create index if not exists %I on leasehold.%I (id)',
    format('entity_%s_id', batch), format('entity_%s', batch));
  execute format(
    'create index if not exists %I on leasehold.%I using brin (blob) with (pages_per_range = 8)',
    format('entity_%s_blob', batch), format('entity_%s', batch));
  execute format('analyze leasehold.%I', format('entity_%s', batch));
end $$;

create function leasehold.entity_batch_drop(batch integer) returns void language plpgsql as $$
begin
  execute format('drop table if exists leasehold.%I', format('entity_%s', batch));
  delete from leasehold.entity_batch b where b.batch = entity_batch_drop.batch;
end $$;

create aggregate leasehold.jsonb_merge(jsonb) (
  sfunc = jsonb_concat, stype = jsonb, initcond = '{}', parallel = safe
);

-- S1: over all cells of all layers, then all that was on its way, in their order.
create function leasehold.snapshot_hash(number integer) returns bytea
language sql stable as $$
  select sha256(
    coalesce((select string_agg(c.digest, ''::bytea order by c.layer, c.cell)
                from leasehold.snapshot_cell c where c.snapshot = number), ''::bytea) ||
    coalesce((select string_agg(f.digest, ''::bytea order by f.layer, f.cell)
                from leasehold.snapshot_flight f where f.snapshot = number), ''::bytea))
$$;

create schema history;

comment on schema history is 'Snapshots of worlds, for people, maps and dashboards. Read only.';

create view history.snapshots as
select s.id, s.world, s.incarnation, s.tick, s.state, s.taken_at, s.completed_at, s.created_by,
       s.layers, s.cells, s.entities, s.in_flight, encode(s.hash, 'hex') as hash
  from leasehold.snapshot s;

comment on view history.snapshots is 'One row per snapshot; it is whole when its state is complete.';

-- Every component stands in one layer, so none hides another.
create view history.entities as
select s.id as snapshot, s.world, s.tick, e.id, p.cell, e.geometry,
       case when cardinality(s.layers) = 1 then e.prefab
            else coalesce(e.prefab, (
              select max(o.prefab)
                from leasehold.entity o
                join leasehold.snapshot_part q on q.blob = o.blob
               where o.id = e.id and q.snapshot = p.snapshot and q.layer > 0))
       end as prefab,
       case when cardinality(s.layers) = 1 then e.components
            else e.components || (
              select leasehold.jsonb_merge(o.components)
                from leasehold.entity o
                join leasehold.snapshot_part q on q.blob = o.blob
               where o.id = e.id and q.snapshot = p.snapshot and q.layer > 0)
       end as components,
       p.part > 0 as in_flight
  from leasehold.entity e
  join leasehold.snapshot_part p on p.blob = e.blob and p.layer = 0
  join leasehold.snapshot s on s.number = p.snapshot and s.state = 'complete';

comment on view history.entities is
  'One row per living entity of every snapshot, with what all layers have of it.';

create view history.cells as
select s.id as snapshot, s.world, s.layers[c.layer + 1] as layer, c.cell, c.tick, c.seq,
       c.count as entities, coalesce(f.in_flight, 0) as in_flight,
       st_makeenvelope(
         x.origin_x + (c.cell % s.grid_columns) * x.side,
         x.origin_y + (c.cell / s.grid_columns) * x.side,
         x.origin_x + (c.cell % s.grid_columns + 1) * x.side,
         x.origin_y + (c.cell / s.grid_columns + 1) * x.side,
         s.srid) as geometry
  from leasehold.snapshot_cell c
  join leasehold.snapshot s on s.number = c.snapshot and s.state = 'complete'
  left join leasehold.snapshot_flight f
    on f.snapshot = c.snapshot and f.layer = c.layer and f.cell = c.cell
 cross join lateral (
   select (s.facts -> 'space' ->> 'originX')::float8 as origin_x,
          (s.facts -> 'space' ->> 'originY')::float8 as origin_y,
          (s.facts -> 'space' ->> 'cell')::float8 as side) x;

comment on view history.cells is 'One row per cell and layer of every snapshot, with its square.';
