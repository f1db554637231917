CREATE TABLE users (
	id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
	username TEXT UNIQUE,
	created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE devices (
	id TEXT NOT NULL,
	user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	public_key TEXT NOT NULL DEFAULT '',
	registered_at TIMESTAMPTZ NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, id)
);
CREATE INDEX devices_by_id ON devices (id);
