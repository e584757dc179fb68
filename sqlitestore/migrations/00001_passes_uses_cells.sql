-- +goose Up

-- Times are microseconds since 1970. NULL is "none", except for issued_at, which
-- is ordered by: there the zero time is its own, very negative, number.

-- 0x68616c6c reads "hall": it tells our files from other programs'.
PRAGMA application_id = 1751215212;

-- Two processes that migrate at once both run a migration; the second one's
-- record of it fails here, and all of its work with it.
CREATE UNIQUE INDEX one_run_each ON goose_db_version (version_id);

-- What a pass permits never changes, except for what counters holds.
-- AUTOINCREMENT: a number is never given to a second pass.
CREATE TABLE passes (
	n          INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	scope      TEXT NOT NULL,
	mode       TEXT NOT NULL,
	subject    TEXT NOT NULL,
	data       TEXT,
	grants     TEXT,
	recipient  TEXT NOT NULL,
	batch      TEXT NOT NULL,
	target     TEXT NOT NULL,
	issued_at  INTEGER NOT NULL,
	not_before INTEGER,
	recorded   INTEGER NOT NULL,
	key        TEXT NOT NULL,
	browser    TEXT NOT NULL
) STRICT;

-- Ids are time-ordered, so these grow at their ends. An index on the subject too
-- would slow recording to a quarter.
CREATE INDEX passes_by_issue ON passes (issued_at, id);
CREATE INDEX passes_by_scope ON passes (scope, issued_at, id);
CREATE INDEX passes_by_batch ON passes (batch, issued_at, id) WHERE batch <> '';

-- Narrow, so that the counters of hundreds of passes share a page: a redemption
-- writes a few bytes here, not the whole pass.
CREATE TABLE counters (
	pass       INTEGER PRIMARY KEY,
	max_uses   INTEGER NOT NULL,
	used       INTEGER NOT NULL,
	refunds    INTEGER NOT NULL,
	revoked_at INTEGER,
	expires_at INTEGER,
	keep_until INTEGER
) STRICT;

-- No foreign key: a use outlives the row of its pass.
CREATE TABLE uses (
	id         TEXT PRIMARY KEY,
	pass       TEXT NOT NULL,
	subject    TEXT NOT NULL,
	at         INTEGER NOT NULL,
	client_ip  TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	method     TEXT NOT NULL,
	path       TEXT NOT NULL,
	status     INTEGER NOT NULL,
	state      TEXT NOT NULL,
	key        TEXT
) STRICT, WITHOUT ROWID;

-- One index both keeps keys unique and finds the uses of a pass. A second one
-- would cost a redemption as much again: passes are used in no order, so each
-- index dirties one more page per use.
CREATE UNIQUE INDEX uses_by_pass ON uses (pass, key);

-- "group" is a word of SQL.
CREATE TABLE cells (
	family     TEXT NOT NULL,
	key        TEXT NOT NULL,
	value      BLOB NOT NULL,
	version    INTEGER NOT NULL,
	expires_at INTEGER,
	PRIMARY KEY (family, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX cells_by_version ON cells (family, version);
CREATE INDEX cells_by_end ON cells (expires_at) WHERE expires_at IS NOT NULL;

-- The newest cell's version, kept apart from the cells so that it never falls.
CREATE TABLE cell_version (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	version INTEGER NOT NULL
) STRICT;

INSERT INTO cell_version VALUES (1, 0);
