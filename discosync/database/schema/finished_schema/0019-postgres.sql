CREATE TABLE alembic_version (
    version_num character varying(32) NOT NULL
)
;
CREATE TABLE artists (
    uuid character varying(36) NOT NULL,
    discogs_id integer,
    name text NOT NULL,
    profile text,
    description text,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone NOT NULL,
    is_unlisted boolean DEFAULT false NOT NULL
)
;
CREATE TABLE feature_flags (
    flag character varying(64) NOT NULL,
    percent integer DEFAULT 100 NOT NULL,
    rolled_back_at timestamp without time zone,
    rolled_back_by character varying(255),
    reason text,
    run_id character varying(36)
)
;
CREATE TABLE flag_events (
    id SERIAL NOT NULL,
    flag character varying(64) NOT NULL,
    changed_at timestamp without time zone NOT NULL,
    changed_by character varying(255) NOT NULL,
    state_before character varying(20) NOT NULL,
    state_after character varying(20) NOT NULL,
    reason text NOT NULL,
    run_id character varying(36)
)
;
CREATE TABLE history_checkpoints (
    id SERIAL NOT NULL,
    seller character varying(255) NOT NULL,
    first_run_id integer NOT NULL,
    last_run_id integer NOT NULL,
    is_thinned boolean DEFAULT false NOT NULL,
    replaced bytea NOT NULL
)
;
CREATE TABLE labels (
    uuid character varying(36) NOT NULL,
    discogs_id integer,
    name text NOT NULL,
    profile text,
    description text,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone NOT NULL,
    is_unlisted boolean DEFAULT false NOT NULL
)
;
CREATE TABLE listing_artists (
    id SERIAL NOT NULL,
    seller character varying(255) NOT NULL,
    listing_id character varying(50) NOT NULL,
    "position" integer NOT NULL,
    artist_id character varying(36) NOT NULL,
    role text,
    name_variation text,
    join_phrase text
)
;
CREATE TABLE listing_changes (
    id SERIAL NOT NULL,
    sync_run_id integer NOT NULL,
    seller character varying(255) NOT NULL,
    listing_id character varying(50) NOT NULL,
    kind character varying(20) NOT NULL,
    fields jsonb
)
;
CREATE TABLE listing_labels (
    id SERIAL NOT NULL,
    seller character varying(255) NOT NULL,
    listing_id character varying(50) NOT NULL,
    "position" integer NOT NULL,
    label_id character varying(36) NOT NULL,
    catalog_number text
)
;
CREATE TABLE listings (
    id SERIAL NOT NULL,
    listing_id character varying(50) NOT NULL,
    status text,
    condition text,
    sleeve_condition text,
    posted timestamp without time zone,
    uri text,
    resource_url text,
    price_value numeric(12,2),
    price_currency character varying(10),
    shipping_price numeric(12,2),
    shipping_currency character varying(10),
    weight double precision,
    format_quantity integer,
    external_id text,
    location text,
    comments text,
    release_id character varying(50),
    release_title text,
    release_year integer,
    release_resource_url text,
    release_uri text,
    artist_names text,
    primary_artist character varying(255),
    label_names text,
    primary_label character varying(255),
    format_names text,
    primary_format character varying(100),
    genres text,
    styles text,
    country character varying(100),
    catalog_number text,
    barcode text,
    master_id character varying(50),
    master_url text,
    image_uri text,
    image_resource_url text,
    release_community_have integer,
    release_community_want integer,
    export_timestamp timestamp without time zone,
    created_at timestamp without time zone,
    updated_at timestamp without time zone,
    content_hash character varying(64),
    is_active boolean DEFAULT true NOT NULL,
    removed_at timestamp without time zone,
    removal_reason character varying(20),
    sold_at timestamp without time zone,
    seller character varying(255) DEFAULT ''::character varying NOT NULL,
    quantity integer,
    accept_offer boolean,
    artist_id character varying(36),
    label_id character varying(36)
)
;
CREATE TABLE purged_listings (
    id SERIAL NOT NULL,
    seller character varying(255) NOT NULL,
    listing_id character varying(50) NOT NULL,
    sync_run_id integer NOT NULL,
    archive text NOT NULL
)
;
CREATE TABLE record_digests (
    seller character varying(255) NOT NULL,
    chunk integer NOT NULL,
    ids bytea NOT NULL,
    flags bytea NOT NULL,
    digests bytea NOT NULL
)
;
CREATE TABLE release_lookups (
    release_id character varying(50) NOT NULL,
    outcome character varying(20) NOT NULL,
    source character varying(10) NOT NULL,
    looked_up_at timestamp without time zone NOT NULL
)
;
CREATE TABLE snapshot_marks (
    seller character varying(255) NOT NULL,
    context character varying(64) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    checksum character varying(64) NOT NULL,
    sha256 character varying(64),
    records integer NOT NULL,
    for_sale integer NOT NULL,
    left_purged integer NOT NULL
)
;
CREATE TABLE snapshot_passages (
    seller character varying(255) NOT NULL,
    checksum character varying(64) NOT NULL,
    packed bytea NOT NULL
)
;
CREATE TABLE sync_runs (
    id SERIAL NOT NULL,
    run_id character varying(36) NOT NULL,
    command character varying(40) NOT NULL,
    seller character varying(255),
    status character varying(20) NOT NULL,
    exit_code integer NOT NULL,
    source character varying(20),
    is_sandbox boolean DEFAULT false NOT NULL,
    snapshot_as_of timestamp without time zone,
    snapshot_sha256 character varying(64),
    started_at timestamp without time zone NOT NULL,
    finished_at timestamp without time zone NOT NULL,
    report jsonb NOT NULL
)
;
ALTER TABLE alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
;
ALTER TABLE artists ADD CONSTRAINT pk_artists PRIMARY KEY (uuid)
;
ALTER TABLE artists ADD CONSTRAINT uq_artists_discogs_id UNIQUE (discogs_id)
;
ALTER TABLE feature_flags ADD CONSTRAINT pk_feature_flags PRIMARY KEY (flag)
;
ALTER TABLE flag_events ADD CONSTRAINT pk_flag_events PRIMARY KEY (id)
;
ALTER TABLE history_checkpoints ADD CONSTRAINT pk_history_checkpoints PRIMARY KEY (id)
;
ALTER TABLE labels ADD CONSTRAINT pk_labels PRIMARY KEY (uuid)
;
ALTER TABLE labels ADD CONSTRAINT uq_labels_discogs_id UNIQUE (discogs_id)
;
ALTER TABLE listing_artists ADD CONSTRAINT pk_listing_artists PRIMARY KEY (id)
;
ALTER TABLE listing_changes ADD CONSTRAINT pk_listing_changes PRIMARY KEY (id)
;
ALTER TABLE listing_labels ADD CONSTRAINT pk_listing_labels PRIMARY KEY (id)
;
ALTER TABLE listings ADD CONSTRAINT pk_listings PRIMARY KEY (id)
;
ALTER TABLE purged_listings ADD CONSTRAINT pk_purged_listings PRIMARY KEY (id)
;
ALTER TABLE record_digests ADD CONSTRAINT pk_record_digests PRIMARY KEY (seller, chunk)
;
ALTER TABLE release_lookups ADD CONSTRAINT pk_release_lookups PRIMARY KEY (release_id)
;
ALTER TABLE snapshot_marks ADD CONSTRAINT pk_snapshot_marks PRIMARY KEY (seller)
;
ALTER TABLE snapshot_passages ADD CONSTRAINT pk_snapshot_passages PRIMARY KEY (seller)
;
ALTER TABLE sync_runs ADD CONSTRAINT pk_sync_runs PRIMARY KEY (id)
;
ALTER TABLE sync_runs ADD CONSTRAINT uq_sync_runs_run_id UNIQUE (run_id)
;
CREATE INDEX ix_artists_name ON artists USING btree (name)
;
CREATE INDEX ix_labels_name ON labels USING btree (name)
;
CREATE INDEX ix_listing_artists_artist_id ON listing_artists USING btree (artist_id)
;
CREATE INDEX ix_listing_changes_seller_listing_id ON listing_changes USING btree (seller, listing_id)
;
CREATE INDEX ix_listing_changes_sync_run_id ON listing_changes USING btree (sync_run_id)
;
CREATE INDEX ix_listing_labels_label_id ON listing_labels USING btree (label_id)
;
CREATE INDEX ix_listings_artist_id ON listings USING btree (artist_id)
;
CREATE INDEX ix_listings_content_hash ON listings USING btree (content_hash)
;
CREATE INDEX ix_listings_is_active ON listings USING btree (is_active)
;
CREATE INDEX ix_listings_label_id ON listings USING btree (label_id)
;
CREATE INDEX ix_listings_release_id ON listings USING btree (release_id)
;
CREATE INDEX ix_listings_status ON listings USING btree (status)
;
CREATE INDEX ix_sync_runs_seller_snapshot_as_of ON sync_runs USING btree (seller, snapshot_as_of)
;
CREATE UNIQUE INDEX uq_history_checkpoints_seller_first_run_id_last_run_id ON history_checkpoints USING btree (seller, first_run_id, last_run_id)
;
CREATE UNIQUE INDEX uq_listing_artists_seller_listing_id_position ON listing_artists USING btree (seller, listing_id, "position")
;
CREATE UNIQUE INDEX uq_listing_labels_seller_listing_id_position ON listing_labels USING btree (seller, listing_id, "position")
;
CREATE UNIQUE INDEX uq_listings_seller_listing_id ON listings USING btree (seller, listing_id)
;
CREATE UNIQUE INDEX uq_purged_listings_seller_listing_id ON purged_listings USING btree (seller, listing_id)
;
ALTER TABLE history_checkpoints ADD CONSTRAINT fk_history_checkpoints_first_run_id_sync_runs FOREIGN KEY (first_run_id) REFERENCES sync_runs(id)
;
ALTER TABLE history_checkpoints ADD CONSTRAINT fk_history_checkpoints_last_run_id_sync_runs FOREIGN KEY (last_run_id) REFERENCES sync_runs(id)
;
ALTER TABLE listing_artists ADD CONSTRAINT fk_listing_artists_artist_id_artists FOREIGN KEY (artist_id) REFERENCES artists(uuid)
;
ALTER TABLE listing_artists ADD CONSTRAINT fk_listing_artists_seller_listings FOREIGN KEY (seller, listing_id) REFERENCES listings(seller, listing_id)
;
ALTER TABLE listing_changes ADD CONSTRAINT fk_listing_changes_sync_run_id_sync_runs FOREIGN KEY (sync_run_id) REFERENCES sync_runs(id)
;
ALTER TABLE listing_labels ADD CONSTRAINT fk_listing_labels_label_id_labels FOREIGN KEY (label_id) REFERENCES labels(uuid)
;
ALTER TABLE listing_labels ADD CONSTRAINT fk_listing_labels_seller_listings FOREIGN KEY (seller, listing_id) REFERENCES listings(seller, listing_id)
;
ALTER TABLE listings ADD CONSTRAINT fk_listings_artist_id_artists FOREIGN KEY (artist_id) REFERENCES artists(uuid)
;
ALTER TABLE listings ADD CONSTRAINT fk_listings_label_id_labels FOREIGN KEY (label_id) REFERENCES labels(uuid)
;
ALTER TABLE purged_listings ADD CONSTRAINT fk_purged_listings_sync_run_id_sync_runs FOREIGN KEY (sync_run_id) REFERENCES sync_runs(id)
;
CREATE VIEW active_listings AS
 SELECT listings.id,
    listings.listing_id,
    listings.status,
    listings.condition,
    listings.sleeve_condition,
    listings.posted,
    listings.uri,
    listings.resource_url,
    listings.price_value,
    listings.price_currency,
    listings.shipping_price,
    listings.shipping_currency,
    listings.weight,
    listings.format_quantity,
    listings.external_id,
    listings.location,
    listings.comments,
    listings.release_id,
    listings.release_title,
    listings.release_year,
    listings.release_resource_url,
    listings.release_uri,
    listings.artist_names,
    listings.primary_artist,
    listings.label_names,
    listings.primary_label,
    listings.format_names,
    listings.primary_format,
    listings.genres,
    listings.styles,
    listings.country,
    listings.catalog_number,
    listings.barcode,
    listings.master_id,
    listings.master_url,
    listings.image_uri,
    listings.image_resource_url,
    listings.release_community_have,
    listings.release_community_want,
    listings.export_timestamp,
    listings.created_at,
    listings.updated_at,
    listings.content_hash,
    listings.is_active,
    listings.removed_at,
    listings.removal_reason,
    listings.sold_at,
    listings.seller,
    listings.quantity,
    listings.accept_offer,
    listings.artist_id,
    listings.label_id
   FROM listings
  WHERE listings.is_active
;
INSERT INTO alembic_version (version_num) VALUES ('0019')
;
