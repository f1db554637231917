CREATE TABLE notification_tokens (
	user_id UUID NOT NULL,
	device_token_hash TEXT NOT NULL,
	platform TEXT NOT NULL DEFAULT 'ios',
	enabled BOOLEAN NOT NULL DEFAULT TRUE,
	registered_at TIMESTAMPTZ NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, device_token_hash)
);
