"""The stage of every recipe as a row that follows its facts: at most one in Production per world and sector."""

from alembic import op

revision = "0004"
down_revision = "0003"

STAGES = """
CREATE TABLE model_stages (
    world integer NOT NULL REFERENCES worlds,
    sector text COLLATE "C" NOT NULL,
    recipe text COLLATE "C" NOT NULL,
    stage text NOT NULL CHECK (stage IN ('Staging', 'Production', 'Archived')),
    since timestamptz NOT NULL,
    fact bigint NOT NULL,
    PRIMARY KEY (world, sector, recipe)
);
CREATE UNIQUE INDEX one_in_production ON model_stages (world, sector) WHERE stage = 'Production';
COMMENT ON TABLE model_stages IS 'Follows the facts of kind stage_changed; written by their trigger alone.';

CREATE FUNCTION follow_stage_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known text;
BEGIN
    SELECT stage INTO known FROM model_stages
    WHERE world = NEW.world AND sector = NEW.body ->> 'sector' AND recipe = NEW.body ->> 'recipe' FOR UPDATE;
    IF known IS DISTINCT FROM NEW.body ->> 'before' THEN
        RAISE EXCEPTION 'recipe % of % is in %, not in %', NEW.body ->> 'recipe', NEW.body ->> 'sector',
            coalesce(known, 'no stage'), coalesce(NEW.body ->> 'before', 'no stage');
    END IF;
    INSERT INTO model_stages (world, sector, recipe, stage, since, fact)
    VALUES (NEW.world, NEW.body ->> 'sector', NEW.body ->> 'recipe', NEW.body ->> 'after', NEW.at, NEW.id)
    ON CONFLICT (world, sector, recipe) DO UPDATE
    SET stage = excluded.stage, since = excluded.since, fact = excluded.fact;
    RETURN NULL;
END $$;
CREATE TRIGGER stages_follow AFTER INSERT ON facts
    FOR EACH ROW WHEN (NEW.kind = 'stage_changed') EXECUTE FUNCTION follow_stage_change();
"""


def upgrade() -> None:
    """Create the rows and let them follow."""
    op.get_bind().connection.cursor().execute(STAGES)
