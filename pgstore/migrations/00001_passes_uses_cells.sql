-- +goose Up

-- Times are microseconds since 1970. NULL is "none", except for issued_at, which
-- is ordered by: there the zero time is its own, very negative, number.
--
-- Every key begins with the pass's id (or the use's, or the cell's group), there
-- are no sequences and no foreign keys: rows can be spread over machines. Texts
-- that are ordered by are ordered by their bytes, whatever the database's collation.

-- What a pass permits never changes, except for what hallpass_counters holds.
CREATE TABLE hallpass_passes (
	id         text COLLATE "C" PRIMARY KEY,
	scope      text COLLATE "C" NOT NULL,
	mode       text NOT NULL,
	subject    text NOT NULL,
	data       text,
	grants     text,
	recipient  text NOT NULL,
	batch      text COLLATE "C" NOT NULL,
	target     text NOT NULL,
	issued_at  bigint NOT NULL,
	not_before bigint,
	recorded   boolean NOT NULL,
	key        text NOT NULL,
	browser    text NOT NULL
);

-- Ids are time-ordered, so these grow at their ends.
CREATE INDEX hallpass_passes_by_issue ON hallpass_passes (issued_at, id);
CREATE INDEX hallpass_passes_by_scope ON hallpass_passes (scope, issued_at, id);
CREATE INDEX hallpass_passes_by_batch ON hallpass_passes (batch, issued_at, id) WHERE batch <> '';

-- Narrow, and with room in each page: PostgreSQL writes a changed row anew, and does
-- so without touching an index while the page has room for it. Whoever counts a use
-- of a pass, takes it back or amends it holds the lock of this row.
CREATE TABLE hallpass_counters (
	pass       text COLLATE "C" PRIMARY KEY,
	max_uses   bigint NOT NULL,
	used       bigint NOT NULL,
	refunds    bigint NOT NULL,
	revoked_at bigint,
	expires_at bigint,
	keep_until bigint
) WITH (fillfactor = 70);

-- What is over is found by reading the whole table once an hour. An index on
-- keep_until would cost every issued pass one more write.

-- No foreign key: a use outlives the row of its pass. The ids are ours and
-- time-ordered, so a partition is a span of time and leaves as a whole; see
-- partition.go. What has no partition of its own is in the last one.
CREATE TABLE hallpass_uses (
	id         text COLLATE "C" PRIMARY KEY,
	pass       text COLLATE "C" NOT NULL,
	subject    text NOT NULL,
	at         bigint NOT NULL,
	client_ip  text NOT NULL,
	user_agent text NOT NULL,
	method     text NOT NULL,
	path       text NOT NULL,
	status     bigint NOT NULL,
	state      text NOT NULL,
	key        text NOT NULL
) PARTITION BY RANGE (id);

CREATE INDEX hallpass_uses_by_pass ON hallpass_uses (pass, id);

-- Uses arrive in the order of their times, so this one is a few bytes per megabyte.
CREATE INDEX hallpass_uses_by_time ON hallpass_uses USING brin (at);

CREATE TABLE hallpass_uses_other PARTITION OF hallpass_uses DEFAULT;

-- Which use holds a key of a pass. It is a table of its own because no index of
-- a partitioned table can keep (pass, key) unique across spans of time. A key whose
-- use has gone counts for nothing.
CREATE TABLE hallpass_use_keys (
	pass text COLLATE "C" NOT NULL,
	key  text COLLATE "C" NOT NULL,
	use  text COLLATE "C" NOT NULL,
	PRIMARY KEY (pass, key)
);

CREATE INDEX hallpass_use_keys_by_use ON hallpass_use_keys (use);

-- "group" is a word of SQL.
CREATE TABLE hallpass_cells (
	family     text COLLATE "C" NOT NULL,
	key        text COLLATE "C" NOT NULL,
	value      bytea NOT NULL,
	version    bigint NOT NULL,
	expires_at bigint,
	PRIMARY KEY (family, key)
);

CREATE INDEX hallpass_cells_by_version ON hallpass_cells (family, version);
CREATE INDEX hallpass_cells_by_end ON hallpass_cells (expires_at) WHERE expires_at IS NOT NULL;

-- The version of the newest cell of a group, kept apart from the cells so that it
-- never falls. Whoever writes a cell holds the lock of its group's row until the
-- commit, so versions become visible in their order.
CREATE TABLE hallpass_cell_groups (
	family  text COLLATE "C" PRIMARY KEY,
	version bigint NOT NULL
) WITH (fillfactor = 50);

-- The number of the last transaction of each lane of each process, written by that
-- transaction itself: how a process whose connection broke at the commit learns what
-- became of it. See lane.go.
CREATE TABLE hallpass_lanes (
	lane text COLLATE "C" PRIMARY KEY,
	turn bigint NOT NULL,
	at   bigint NOT NULL
) WITH (fillfactor = 50);
