-- +goose Up

CREATE TABLE events (
	id         TEXT PRIMARY KEY,
	at         INTEGER NOT NULL,
	kind       TEXT NOT NULL,
	pass       TEXT NOT NULL,
	scope      TEXT NOT NULL,
	subject    TEXT NOT NULL,
	batch      TEXT NOT NULL,
	reason     TEXT NOT NULL,
	actor      TEXT NOT NULL,
	action     TEXT NOT NULL,
	detail     TEXT NOT NULL,
	client_ip  TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	method     TEXT NOT NULL,
	path       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Ids are time-ordered, so the first three grow at a few ends each. Operators are
-- few; what they did must be found among millions of refusals.
CREATE INDEX events_by_kind ON events (kind, id);
CREATE INDEX events_by_reason ON events (reason, id) WHERE reason <> '';
CREATE INDEX events_by_actor ON events (actor, id) WHERE actor <> '';
CREATE INDEX events_by_pass ON events (pass, id) WHERE pass <> '';
