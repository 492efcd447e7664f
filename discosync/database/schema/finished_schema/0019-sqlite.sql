CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
;
CREATE TABLE listings (
	id INTEGER NOT NULL, 
	listing_id VARCHAR(50) NOT NULL, 
	status VARCHAR(50), 
	condition VARCHAR(50), 
	sleeve_condition VARCHAR(50), 
	posted DATETIME, 
	uri VARCHAR(255), 
	resource_url VARCHAR(255), 
	price_value FLOAT, 
	price_currency VARCHAR(10), 
	shipping_price FLOAT, 
	shipping_currency VARCHAR(10), 
	weight FLOAT, 
	format_quantity INTEGER, 
	external_id VARCHAR(100), 
	location VARCHAR(255), 
	comments TEXT, 
	release_id VARCHAR(50), 
	release_title TEXT, 
	release_year INTEGER, 
	release_resource_url VARCHAR(255), 
	release_uri VARCHAR(255), 
	artist_names TEXT, 
	primary_artist VARCHAR(255), 
	label_names VARCHAR(500), 
	primary_label VARCHAR(255), 
	format_names VARCHAR(255), 
	primary_format VARCHAR(100), 
	genres VARCHAR(500), 
	styles VARCHAR(500), 
	country VARCHAR(100), 
	catalog_number VARCHAR(100), 
	barcode VARCHAR(100), 
	master_id VARCHAR(50), 
	master_url VARCHAR(255), 
	image_uri VARCHAR(500), 
	image_resource_url VARCHAR(500), 
	release_community_have INTEGER, 
	release_community_want INTEGER, 
	export_timestamp DATETIME, 
	created_at DATETIME, 
	updated_at DATETIME, content_hash VARCHAR(64), is_active BOOLEAN DEFAULT 1 NOT NULL, removed_at DATETIME, removal_reason VARCHAR(20), sold_at DATETIME, seller VARCHAR(255) DEFAULT '' NOT NULL, quantity INTEGER, accept_offer BOOLEAN, artist_id VARCHAR(36) CONSTRAINT fk_listings_artist_id_artists REFERENCES artists (uuid), label_id VARCHAR(36) CONSTRAINT fk_listings_label_id_labels REFERENCES labels (uuid), 
	CONSTRAINT pk_listings PRIMARY KEY (id)
)
;
CREATE INDEX ix_listings_status ON listings (status)
;
CREATE INDEX ix_listings_release_id ON listings (release_id)
;
CREATE INDEX ix_listings_content_hash ON listings (content_hash)
;
CREATE INDEX ix_listings_is_active ON listings (is_active)
;
CREATE UNIQUE INDEX uq_listings_seller_listing_id ON listings (seller, listing_id)
;
CREATE TABLE sync_runs (
	id INTEGER NOT NULL, 
	run_id VARCHAR(36) NOT NULL, 
	command VARCHAR(40) NOT NULL, 
	seller VARCHAR(255), 
	status VARCHAR(20) NOT NULL, 
	exit_code INTEGER NOT NULL, 
	source VARCHAR(20), 
	is_sandbox BOOLEAN DEFAULT 0 NOT NULL, 
	snapshot_as_of DATETIME, 
	snapshot_sha256 VARCHAR(64), 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME NOT NULL, 
	report JSON NOT NULL, 
	CONSTRAINT pk_sync_runs PRIMARY KEY (id), 
	CONSTRAINT uq_sync_runs_run_id UNIQUE (run_id)
)
;
CREATE INDEX ix_sync_runs_seller_snapshot_as_of ON sync_runs (seller, snapshot_as_of)
;
CREATE TABLE listing_changes (
	id INTEGER NOT NULL, 
	sync_run_id INTEGER NOT NULL, 
	seller VARCHAR(255) NOT NULL, 
	listing_id VARCHAR(50) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	fields JSON, 
	CONSTRAINT pk_listing_changes PRIMARY KEY (id), 
	CONSTRAINT fk_listing_changes_sync_run_id_sync_runs FOREIGN KEY(sync_run_id) REFERENCES sync_runs (id)
)
;
CREATE INDEX ix_listing_changes_sync_run_id ON listing_changes (sync_run_id)
;
CREATE INDEX ix_listing_changes_seller_listing_id ON listing_changes (seller, listing_id)
;
CREATE TABLE feature_flags (
	flag VARCHAR(64) NOT NULL, 
	percent INTEGER DEFAULT 100 NOT NULL, 
	rolled_back_at DATETIME, 
	rolled_back_by VARCHAR(255), 
	reason TEXT, 
	run_id VARCHAR(36), 
	CONSTRAINT pk_feature_flags PRIMARY KEY (flag)
)
;
CREATE TABLE flag_events (
	id INTEGER NOT NULL, 
	flag VARCHAR(64) NOT NULL, 
	changed_at DATETIME NOT NULL, 
	changed_by VARCHAR(255) NOT NULL, 
	state_before VARCHAR(20) NOT NULL, 
	state_after VARCHAR(20) NOT NULL, 
	reason TEXT NOT NULL, 
	run_id VARCHAR(36), 
	CONSTRAINT pk_flag_events PRIMARY KEY (id)
)
;
CREATE TABLE artists (
	uuid VARCHAR(36) NOT NULL, 
	discogs_id INTEGER, 
	name TEXT NOT NULL, 
	profile TEXT, 
	description TEXT, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, is_unlisted BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_artists PRIMARY KEY (uuid), 
	CONSTRAINT uq_artists_discogs_id UNIQUE (discogs_id)
)
;
CREATE INDEX ix_artists_name ON artists (name)
;
CREATE TABLE labels (
	uuid VARCHAR(36) NOT NULL, 
	discogs_id INTEGER, 
	name TEXT NOT NULL, 
	profile TEXT, 
	description TEXT, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, is_unlisted BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_labels PRIMARY KEY (uuid), 
	CONSTRAINT uq_labels_discogs_id UNIQUE (discogs_id)
)
;
CREATE INDEX ix_labels_name ON labels (name)
;
CREATE TABLE listing_artists (
	id INTEGER NOT NULL, 
	seller VARCHAR(255) NOT NULL, 
	listing_id VARCHAR(50) NOT NULL, 
	position INTEGER NOT NULL, 
	artist_id VARCHAR(36) NOT NULL, 
	role TEXT, 
	name_variation TEXT, 
	join_phrase TEXT, 
	CONSTRAINT pk_listing_artists PRIMARY KEY (id), 
	CONSTRAINT fk_listing_artists_seller_listings FOREIGN KEY(seller, listing_id) REFERENCES listings (seller, listing_id), 
	CONSTRAINT fk_listing_artists_artist_id_artists FOREIGN KEY(artist_id) REFERENCES artists (uuid)
)
;
CREATE UNIQUE INDEX uq_listing_artists_seller_listing_id_position ON listing_artists (seller, listing_id, position)
;
CREATE INDEX ix_listing_artists_artist_id ON listing_artists (artist_id)
;
CREATE TABLE listing_labels (
	id INTEGER NOT NULL, 
	seller VARCHAR(255) NOT NULL, 
	listing_id VARCHAR(50) NOT NULL, 
	position INTEGER NOT NULL, 
	label_id VARCHAR(36) NOT NULL, 
	catalog_number TEXT, 
	CONSTRAINT pk_listing_labels PRIMARY KEY (id), 
	CONSTRAINT fk_listing_labels_seller_listings FOREIGN KEY(seller, listing_id) REFERENCES listings (seller, listing_id), 
	CONSTRAINT fk_listing_labels_label_id_labels FOREIGN KEY(label_id) REFERENCES labels (uuid)
)
;
CREATE UNIQUE INDEX uq_listing_labels_seller_listing_id_position ON listing_labels (seller, listing_id, position)
;
CREATE INDEX ix_listing_labels_label_id ON listing_labels (label_id)
;
CREATE INDEX ix_listings_artist_id ON listings (artist_id)
;
CREATE INDEX ix_listings_label_id ON listings (label_id)
;
CREATE VIEW active_listings AS SELECT * FROM listings WHERE is_active
;
CREATE TABLE purged_listings (
	id INTEGER NOT NULL, 
	seller VARCHAR(255) NOT NULL, 
	listing_id VARCHAR(50) NOT NULL, 
	sync_run_id INTEGER NOT NULL, 
	archive TEXT NOT NULL, 
	CONSTRAINT pk_purged_listings PRIMARY KEY (id), 
	CONSTRAINT fk_purged_listings_sync_run_id_sync_runs FOREIGN KEY(sync_run_id) REFERENCES sync_runs (id)
)
;
CREATE UNIQUE INDEX uq_purged_listings_seller_listing_id ON purged_listings (seller, listing_id)
;
CREATE TABLE history_checkpoints (
	id INTEGER NOT NULL, 
	seller VARCHAR(255) NOT NULL, 
	first_run_id INTEGER NOT NULL, 
	last_run_id INTEGER NOT NULL, 
	is_thinned BOOLEAN DEFAULT 0 NOT NULL, 
	replaced BLOB NOT NULL, 
	CONSTRAINT pk_history_checkpoints PRIMARY KEY (id), 
	CONSTRAINT fk_history_checkpoints_first_run_id_sync_runs FOREIGN KEY(first_run_id) REFERENCES sync_runs (id), 
	CONSTRAINT fk_history_checkpoints_last_run_id_sync_runs FOREIGN KEY(last_run_id) REFERENCES sync_runs (id)
)
;
CREATE UNIQUE INDEX uq_history_checkpoints_seller_first_run_id_last_run_id ON history_checkpoints (seller, first_run_id, last_run_id)
;
CREATE TABLE release_lookups (
	release_id VARCHAR(50) NOT NULL, 
	outcome VARCHAR(20) NOT NULL, 
	source VARCHAR(10) NOT NULL, 
	looked_up_at DATETIME NOT NULL, 
	CONSTRAINT pk_release_lookups PRIMARY KEY (release_id)
)
;
CREATE TABLE snapshot_marks (
	seller VARCHAR(255) NOT NULL, 
	context VARCHAR(64) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	checksum VARCHAR(64) NOT NULL, 
	sha256 VARCHAR(64), 
	records INTEGER NOT NULL, 
	for_sale INTEGER NOT NULL, 
	left_purged INTEGER NOT NULL, 
	CONSTRAINT pk_snapshot_marks PRIMARY KEY (seller)
)
;
CREATE TABLE record_digests (
	seller VARCHAR(255) NOT NULL, 
	chunk INTEGER NOT NULL, 
	ids BLOB NOT NULL, 
	flags BLOB NOT NULL, 
	digests BLOB NOT NULL, 
	CONSTRAINT pk_record_digests PRIMARY KEY (seller, chunk)
)
;
CREATE TABLE snapshot_passages (
	seller VARCHAR(255) NOT NULL, 
	checksum VARCHAR(64) NOT NULL, 
	packed BLOB NOT NULL, 
	CONSTRAINT pk_snapshot_passages PRIMARY KEY (seller)
)
;
CREATE TRIGGER watch_listings_insert AFTER INSERT ON listings WHEN EXISTS (SELECT 1 FROM snapshot_marks WHERE seller IN (NEW.seller)) BEGIN DELETE FROM snapshot_marks WHERE seller IN (NEW.seller); END
;
CREATE TRIGGER watch_listings_delete AFTER DELETE ON listings WHEN EXISTS (SELECT 1 FROM snapshot_marks WHERE seller IN (OLD.seller)) BEGIN DELETE FROM snapshot_marks WHERE seller IN (OLD.seller); END
;
CREATE TRIGGER watch_listings_update AFTER UPDATE OF seller, listing_id, content_hash, is_active, release_year, image_uri ON listings WHEN EXISTS (SELECT 1 FROM snapshot_marks WHERE seller IN (OLD.seller, NEW.seller)) BEGIN DELETE FROM snapshot_marks WHERE seller IN (OLD.seller, NEW.seller); END
;
CREATE TRIGGER watch_purged_listings_insert AFTER INSERT ON purged_listings WHEN EXISTS (SELECT 1 FROM snapshot_marks WHERE seller IN (NEW.seller)) BEGIN DELETE FROM snapshot_marks WHERE seller IN (NEW.seller); END
;
CREATE TRIGGER watch_purged_listings_delete AFTER DELETE ON purged_listings WHEN EXISTS (SELECT 1 FROM snapshot_marks WHERE seller IN (OLD.seller)) BEGIN DELETE FROM snapshot_marks WHERE seller IN (OLD.seller); END
;
CREATE TRIGGER watch_purged_listings_update AFTER UPDATE ON purged_listings WHEN EXISTS (SELECT 1 FROM snapshot_marks WHERE seller IN (OLD.seller, NEW.seller)) BEGIN DELETE FROM snapshot_marks WHERE seller IN (OLD.seller, NEW.seller); END
;
INSERT INTO alembic_version (version_num) VALUES ('0019')
;
