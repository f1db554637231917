CREATE TABLE key_bundles (
	user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	bundle JSONB NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,
	updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The real schema counts changes in a trigger, so the migrating role needs
-- the right to create functions.
CREATE FUNCTION bump_key_bundle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.version := OLD.version + 1;
	NEW.updated_at := now();
	RETURN NEW;
END
$$;
CREATE TRIGGER key_bundles_bump BEFORE UPDATE ON key_bundles
	FOR EACH ROW EXECUTE FUNCTION bump_key_bundle();
