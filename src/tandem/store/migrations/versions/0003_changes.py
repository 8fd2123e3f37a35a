"""A note of every change of history, so that what was derived from it can tell whether it still holds."""

from alembic import op

revision = "0003"
down_revision = "0002"

CHANGES = """
CREATE TABLE bar_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    timeframe text COLLATE "C" NOT NULL,
    month date,
    first timestamptz NOT NULL,
    token uuid NOT NULL DEFAULT gen_random_uuid()
);
CREATE INDEX bar_changes_by_month ON bar_changes (timeframe, month);
COMMENT ON TABLE bar_changes IS
    'Changes of everybody''s bars, first revisions, from first on; no timeframe and no month: any of them.';
INSERT INTO bar_changes (timeframe, first) VALUES ('', '-infinity');

-- A load says itself what it changes, more narrowly, and marks its transaction as noted.
CREATE FUNCTION note_bar_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('tandem.noted', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
        INSERT INTO bar_changes (timeframe, first) VALUES ('', '-infinity');
        PERFORM set_config('tandem.noted', pg_current_xact_id()::text, true);
    END IF;
    RETURN NULL;
END $$;

-- Per statement, so that a load pays for it once; such triggers have to stand on each partition too.
CREATE PROCEDURE watch_bars(watched regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER bars_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
                    FOR EACH STATEMENT EXECUTE FUNCTION note_bar_change()', watched);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER bars_changed', watched);
END $$;
DO $$
DECLARE
    watched regclass;
BEGIN
    CALL watch_bars('market_data');
    FOR watched IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'market_data'::regclass LOOP
        CALL watch_bars(watched);
    END LOOP;
END $$;
"""


def upgrade() -> None:
    """Create the notes and watch the bars."""
    op.get_bind().connection.cursor().execute(CHANGES)
