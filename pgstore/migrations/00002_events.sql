-- +goose Up

CREATE TABLE hallpass_events (
	id         text COLLATE "C" PRIMARY KEY,
	at         bigint NOT NULL,
	kind       text COLLATE "C" NOT NULL,
	pass       text COLLATE "C" NOT NULL,
	scope      text NOT NULL,
	subject    text NOT NULL,
	batch      text NOT NULL,
	reason     text COLLATE "C" NOT NULL,
	actor      text COLLATE "C" NOT NULL,
	action     text NOT NULL,
	detail     text NOT NULL,
	client_ip  text NOT NULL,
	user_agent text NOT NULL,
	method     text NOT NULL,
	path       text NOT NULL
);

-- Ids are time-ordered, so the first three grow at a few ends each. Operators are
-- few; what they did must be found among millions of refusals.
CREATE INDEX hallpass_events_by_kind ON hallpass_events (kind, id);
CREATE INDEX hallpass_events_by_reason ON hallpass_events (reason, id) WHERE reason <> '';
CREATE INDEX hallpass_events_by_actor ON hallpass_events (actor, id) WHERE actor <> '';
CREATE INDEX hallpass_events_by_pass ON hallpass_events (pass, id) WHERE pass <> '';
