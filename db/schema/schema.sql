-- What the migrations make. Generated: a test compares it with them.

CREATE SCHEMA leasehold;

CREATE FUNCTION leasehold.entity_batch_drop(batch integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  execute format('drop table if exists leasehold.%I', format('entity_%s', batch));
  delete from leasehold.entity_batch b where b.batch = entity_batch_drop.batch;
end $$;

CREATE FUNCTION leasehold.entity_batch_index_area(batch integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  execute format('create index if not exists %I on leasehold.%I using gist (geometry)',
    format('entity_%s_geometry', batch), format('entity_%s', batch));
end $$;

CREATE FUNCTION leasehold.entity_batch_index_rest(batch integer) RETURNS void
    LANGUAGE plpgsql
    SET maintenance_work_mem TO '128MB'
    AS $$
begin
  execute format('create index if not exists %I on leasehold.%I (id)',
    format('entity_%s_id', batch), format('entity_%s', batch));
  execute format(
    'create index if not exists %I on leasehold.%I using brin (blob) with (pages_per_range = 8)',
    format('entity_%s_blob', batch), format('entity_%s', batch));
  execute format('analyze leasehold.%I', format('entity_%s', batch));
end $$;

CREATE FUNCTION leasehold.entity_batch_open(snapshot integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION leasehold.snapshot_hash(number integer) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
  select sha256(
    coalesce((select string_agg(c.digest, ''::bytea order by c.layer, c.cell)
                from leasehold.snapshot_cell c where c.snapshot = number), ''::bytea) ||
    coalesce((select string_agg(f.digest, ''::bytea order by f.layer, f.cell)
                from leasehold.snapshot_flight f where f.snapshot = number), ''::bytea))
$$;

CREATE AGGREGATE leasehold.jsonb_merge(jsonb) (
    SFUNC = jsonb_concat,
    STYPE = jsonb,
    INITCOND = '{}',
    PARALLEL = safe
);

CREATE TABLE leasehold.snapshot (
    number integer NOT NULL,
    id text NOT NULL,
    world text NOT NULL,
    incarnation bigint NOT NULL,
    tick bigint NOT NULL,
    state text DEFAULT 'taking'::text NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    completed_at timestamp with time zone,
    created_by text DEFAULT SESSION_USER NOT NULL,
    facts jsonb NOT NULL,
    layers text[] NOT NULL,
    srid integer NOT NULL,
    grid_columns integer NOT NULL,
    grid_rows integer NOT NULL,
    cells bigint,
    entities bigint,
    in_flight bigint,
    hash bytea,
    CONSTRAINT snapshot_check CHECK (((state = 'taking'::text) OR ((hash IS NOT NULL) AND (completed_at IS NOT NULL)))),
    CONSTRAINT snapshot_grid_columns_check CHECK ((grid_columns > 0)),
    CONSTRAINT snapshot_grid_rows_check CHECK ((grid_rows > 0)),
    CONSTRAINT snapshot_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT snapshot_layers_check CHECK ((cardinality(layers) > 0)),
    CONSTRAINT snapshot_srid_check CHECK ((srid = ANY (ARRAY[0, 4326]))),
    CONSTRAINT snapshot_state_check CHECK ((state = ANY (ARRAY['taking'::text, 'complete'::text]))),
    CONSTRAINT snapshot_tick_check CHECK ((tick >= 0))
);

CREATE TABLE leasehold.snapshot_cell (
    snapshot integer NOT NULL,
    layer smallint NOT NULL,
    cell integer NOT NULL,
    ordinal bigint NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL,
    tick bigint NOT NULL,
    id_counter bigint NOT NULL,
    asked bigint NOT NULL,
    out_seq bigint NOT NULL,
    cursors jsonb NOT NULL,
    count integer NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT snapshot_cell_digest_check CHECK ((octet_length(digest) = 32))
);

CREATE TABLE leasehold.snapshot_flight (
    snapshot integer NOT NULL,
    layer smallint NOT NULL,
    cell integer NOT NULL,
    in_flight integer NOT NULL,
    bytes bytea NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT snapshot_flight_digest_check CHECK ((octet_length(digest) = 32))
);

CREATE TABLE leasehold.entity (
    batch integer NOT NULL,
    blob bigint NOT NULL,
    id bigint NOT NULL,
    geometry public.geometry,
    prefab text,
    components jsonb NOT NULL
)
PARTITION BY LIST (batch);

CREATE TABLE leasehold.snapshot_part (
    snapshot integer NOT NULL,
    source smallint NOT NULL,
    cell integer NOT NULL,
    part integer NOT NULL,
    layer smallint NOT NULL,
    blob bigint NOT NULL,
    CONSTRAINT snapshot_part_part_check CHECK ((part >= 0))
);

CREATE TABLE leasehold.blob (
    number bigint NOT NULL,
    sha256 bytea NOT NULL,
    srid integer NOT NULL,
    batch integer NOT NULL,
    schema text NOT NULL,
    count integer NOT NULL,
    bytes bytea,
    CONSTRAINT blob_count_check CHECK ((count >= 0)),
    CONSTRAINT blob_sha256_check CHECK ((octet_length(sha256) = 32))
);
ALTER TABLE ONLY leasehold.blob ALTER COLUMN bytes SET STORAGE EXTERNAL;

ALTER TABLE leasehold.blob ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.blob_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.cold_cell (
    world text NOT NULL,
    incarnation bigint NOT NULL,
    layer text NOT NULL,
    cell integer NOT NULL,
    mark bigint NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL,
    tick bigint NOT NULL,
    head jsonb NOT NULL,
    posted text[] NOT NULL,
    geo text[] NOT NULL,
    bytes bytea NOT NULL,
    slept_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT cold_cell_mark_check CHECK (((mark >= 1) AND (mark <= '4294967295'::bigint)))
);
ALTER TABLE ONLY leasehold.cold_cell ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE leasehold.entity_batch (
    batch integer NOT NULL,
    snapshot integer NOT NULL,
    is_sealed boolean DEFAULT false NOT NULL,
    is_dirty boolean DEFAULT false NOT NULL
);

ALTER TABLE leasehold.entity_batch ALTER COLUMN batch ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.entity_batch_batch_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.migration (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);

CREATE SEQUENCE leasehold.migration_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE leasehold.migration_id_seq OWNED BY leasehold.migration.id;

ALTER TABLE leasehold.snapshot ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME leasehold.snapshot_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE leasehold.world (
    name text NOT NULL,
    last_incarnation bigint NOT NULL,
    ready jsonb,
    seeding jsonb,
    leftovers bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT world_check CHECK (((ready IS NULL) OR (((ready ->> 'incarnation'::text))::bigint <= last_incarnation))),
    CONSTRAINT world_check1 CHECK (((seeding IS NULL) OR (((seeding ->> 'incarnation'::text))::bigint <= last_incarnation))),
    CONSTRAINT world_last_incarnation_check CHECK ((last_incarnation >= 0)),
    CONSTRAINT world_name_check CHECK ((name ~ '^[A-Za-z0-9_-]{1,64}$'::text))
);

ALTER TABLE ONLY leasehold.migration ALTER COLUMN id SET DEFAULT nextval('leasehold.migration_id_seq'::regclass);

ALTER TABLE ONLY leasehold.blob
    ADD CONSTRAINT blob_pkey PRIMARY KEY (number);

ALTER TABLE ONLY leasehold.blob
    ADD CONSTRAINT blob_sha256_srid_key UNIQUE (sha256, srid);

ALTER TABLE ONLY leasehold.cold_cell
    ADD CONSTRAINT cold_cell_pkey PRIMARY KEY (world, incarnation, layer, cell, mark);

ALTER TABLE ONLY leasehold.entity_batch
    ADD CONSTRAINT entity_batch_pkey PRIMARY KEY (batch);

ALTER TABLE ONLY leasehold.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (id);

ALTER TABLE ONLY leasehold.snapshot_cell
    ADD CONSTRAINT snapshot_cell_pkey PRIMARY KEY (snapshot, layer, cell);

ALTER TABLE ONLY leasehold.snapshot_flight
    ADD CONSTRAINT snapshot_flight_pkey PRIMARY KEY (snapshot, layer, cell);

ALTER TABLE ONLY leasehold.snapshot
    ADD CONSTRAINT snapshot_id_key UNIQUE (id);

ALTER TABLE ONLY leasehold.snapshot_part
    ADD CONSTRAINT snapshot_part_pkey PRIMARY KEY (snapshot, source, cell, part);

ALTER TABLE ONLY leasehold.snapshot
    ADD CONSTRAINT snapshot_pkey PRIMARY KEY (number);

ALTER TABLE ONLY leasehold.world
    ADD CONSTRAINT world_pkey PRIMARY KEY (name);

CREATE INDEX blob_batch ON leasehold.blob USING btree (batch);

CREATE INDEX snapshot_part_blob ON leasehold.snapshot_part USING btree (blob, snapshot);

CREATE INDEX snapshot_world ON leasehold.snapshot USING btree (world, taken_at);

ALTER TABLE ONLY leasehold.blob
    ADD CONSTRAINT blob_batch_fkey FOREIGN KEY (batch) REFERENCES leasehold.entity_batch(batch);

ALTER TABLE ONLY leasehold.snapshot_cell
    ADD CONSTRAINT snapshot_cell_snapshot_fkey FOREIGN KEY (snapshot) REFERENCES leasehold.snapshot(number) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.snapshot_flight
    ADD CONSTRAINT snapshot_flight_snapshot_layer_cell_fkey FOREIGN KEY (snapshot, layer, cell) REFERENCES leasehold.snapshot_cell(snapshot, layer, cell) ON DELETE CASCADE;

ALTER TABLE ONLY leasehold.snapshot_part
    ADD CONSTRAINT snapshot_part_blob_fkey FOREIGN KEY (blob) REFERENCES leasehold.blob(number);

ALTER TABLE ONLY leasehold.snapshot_part
    ADD CONSTRAINT snapshot_part_snapshot_source_cell_fkey FOREIGN KEY (snapshot, source, cell) REFERENCES leasehold.snapshot_cell(snapshot, layer, cell) ON DELETE CASCADE;
