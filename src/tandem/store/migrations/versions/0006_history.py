"""History that an analyst can query: views over the facts. The indexes of the facts serve a million of them."""

from alembic import op

revision = "0006"
down_revision = "0005"

SIGNALS = """
CREATE VIEW world_names AS
SELECT id, kind || '-' || run || CASE WHEN loop > 0 THEN '-' || loop ELSE '' END AS world, kind, label FROM worlds;
COMMENT ON VIEW world_names IS 'Worlds by the names that Tandem gives them, such as recycler-3.';

CREATE VIEW trading_signal_history AS
SELECT w.world, f.session, f.at, f.pair, f.body ->> 'action' AS action, f.body ->> 'why' AS reason,
    (f.body ->> 'z')::float8 AS z, (f.body ->> 'probability')::float8 AS probability,
    (f.body ->> 'confidence')::float8 AS confidence, (f.body ->> 'spread')::float8 AS spread,
    (f.body ->> 'volatility')::float8 AS volatility, f.body ->> 'model' AS model, '' AS refused_by, f.id AS fact
FROM facts f JOIN world_names w ON w.id = f.world WHERE f.kind = 'signal'
UNION ALL
SELECT w.world, f.session, f.at, f.pair, 'refused', (f.body ->> 'reason') || ': ' || (f.body ->> 'why'),
    (s.body ->> 'z')::float8, (s.body ->> 'probability')::float8, (s.body ->> 'confidence')::float8,
    (s.body ->> 'spread')::float8, (s.body ->> 'volatility')::float8, s.body ->> 'model', f.body ->> 'by', f.id
FROM facts f JOIN world_names w ON w.id = f.world
LEFT JOIN facts s ON s.world = f.world AND s.kind = 'signal'
    AND s.key = 'signal.' || to_char(f.at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MI') || '.' || f.pair
WHERE f.kind = 'refusal' AND f.pair IS NOT NULL;
COMMENT ON VIEW trading_signal_history IS
    'Every judgement of a pair and every refusal; a refusal has the figures of the signal that it refused, if any.';
"""

ATTRIBUTION = """
CREATE VIEW performance_attribution AS
SELECT w.world, f.session, f.pair, (f.body ->> 'opened_at')::timestamptz AS opened_at,
    (f.body ->> 'direction')::integer AS direction, p.spread_move, p.hedge_drift,
    p.spread_move + p.hedge_drift AS gross, p.slippage, p.fees, p.slippage + p.fees AS costs, p.borrow,
    p.spread_move + p.hedge_drift - p.slippage - p.fees - p.borrow AS net,
    (f.body ->> 'hedge_ratio')::numeric AS hedge_ratio, (f.body ->> 'qty_a')::numeric AS qty_a,
    (f.body ->> 'qty_b')::numeric AS qty_b,
    (f.body ->> 'qty_a')::numeric <> 0 OR (f.body ->> 'qty_b')::numeric <> 0 AS is_open
FROM facts f JOIN world_names w ON w.id = f.world
CROSS JOIN LATERAL (SELECT (f.body ->> 'spread_move')::numeric AS spread_move,
    (f.body ->> 'hedge_drift')::numeric AS hedge_drift, (f.body ->> 'slippage')::numeric AS slippage,
    (f.body ->> 'fees')::numeric AS fees, (f.body ->> 'borrow')::numeric AS borrow) p
WHERE f.kind = 'attribution';
COMMENT ON VIEW performance_attribution IS
    'What each trade came to in each session that it was held in, in dollars: gross = spread_move + hedge_drift,
net = gross - costs - borrow.';

CREATE VIEW pair_performance AS
SELECT w.world, f.pair, f.session,
    sum((f.body ->> 'spread_move')::numeric + (f.body ->> 'hedge_drift')::numeric) AS gross,
    sum((f.body ->> 'slippage')::numeric + (f.body ->> 'fees')::numeric) AS costs,
    sum((f.body ->> 'borrow')::numeric) AS borrow,
    sum((f.body ->> 'spread_move')::numeric + (f.body ->> 'hedge_drift')::numeric - (f.body ->> 'slippage')::numeric
        - (f.body ->> 'fees')::numeric - (f.body ->> 'borrow')::numeric) AS net,
    sum((f.body ->> 'slippage')::numeric) AS slippage,
    count(*) FILTER (WHERE f.kind = 'attribution') AS trades,
    count(*) FILTER (WHERE f.kind = 'attribution' AND (f.body ->> 'qty_a')::numeric = 0
        AND (f.body ->> 'qty_b')::numeric = 0) AS closed,
    count(*) FILTER (WHERE f.kind = 'pair_order') AS pair_orders,
    count(*) FILTER (WHERE f.kind = 'pair_order' AND f.body ->> 'outcome' <> 'filled') AS not_filled,
    coalesce(sum((f.body ->> 'naked_seconds')::float8), 0) AS naked_seconds
FROM facts f JOIN world_names w ON w.id = f.world
WHERE f.kind IN ('attribution', 'pair_order') GROUP BY w.world, f.pair, f.session;
COMMENT ON VIEW pair_performance IS
    'What each pair came to in each session, in dollars; null where the session has not been attributed yet.';
"""

MODELS = """
CREATE VIEW model_performance_history AS
WITH plans AS (
    SELECT DISTINCT ON (f.world, f.session) f.world, f.session, f.body FROM facts f
    WHERE f.kind = 'plan' ORDER BY f.world, f.session, f.id DESC
), graded AS (
    SELECT f.world, f.session, f.body ->> 'sector' AS sector, f.body ->> 'recipe' AS recipe, f.body
    FROM facts f WHERE f.kind = 'model_grade'
), refits AS (
    SELECT p.world, p.session, r ->> 'sector' AS sector, r ->> 'recipe' AS recipe, r AS refit
    FROM plans p CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'refits') r
)
SELECT w.world, sector, recipe, session, r.refit ->> 'name' AS name, coalesce(r.refit ->> 'refused', '') AS refused,
    (r.refit #>> '{figures,test_f1_score}')::float8 AS f1_score,
    (r.refit #>> '{figures,test_base_rate}')::float8 AS base_rate,
    (r.refit #>> '{figures,test_mcc}')::float8 AS mcc, (r.refit #>> '{figures,test_mcc_ar1}')::float8 AS mcc_ar1,
    (r.refit #>> '{figures,test_roc_auc}')::float8 AS roc_auc, (r.refit #>> '{figures,test_brier}')::float8 AS brier,
    (r.refit #>> '{figures,test_log_loss}')::float8 AS log_loss,
    (r.refit #>> '{figures,test_log_loss_ar1}')::float8 AS log_loss_ar1,
    (r.refit ->> 'loss')::float8 AS validation_log_loss,
    (r.refit #>> '{figures,sharpe_ratio}')::float8 AS sharpe_ratio,
    (g.body ->> 'forecasts')::integer AS graded_forecasts,
    (g.body ->> 'base_rate')::float8 AS graded_base_rate, (g.body ->> 'mcc')::float8 AS graded_mcc,
    (g.body ->> 'brier')::float8 AS graded_brier, (g.body ->> 'log_loss')::float8 AS graded_log_loss,
    (g.body ->> 'baseline_log_loss')::float8 AS graded_log_loss_ar1, r.refit -> 'figures' AS figures
FROM refits r FULL JOIN graded g USING (world, session, sector, recipe)
JOIN world_names w ON w.id = coalesce(r.world, g.world);
COMMENT ON VIEW model_performance_history IS
    'Each recipe by sector and session: means over its pairs on the test block, then what its forecasts came to.';

CREATE VIEW model_versions AS
WITH plans AS (
    SELECT DISTINCT ON (f.world, f.session) f.world, f.session, f.at, f.body FROM facts f
    WHERE f.kind = 'plan' ORDER BY f.world, f.session, f.id DESC
), registered AS (
    SELECT DISTINCT ON (f.world, f.body ->> 'name') f.world, f.body ->> 'name' AS name,
        f.body ->> 'version' AS version, f.body ->> 'run_id' AS run_id
    FROM facts f WHERE f.kind = 'model_registered' ORDER BY f.world, f.body ->> 'name', f.id DESC
)
SELECT w.world, r ->> 'sector' AS sector, r ->> 'recipe' AS recipe, p.session, r ->> 'name' AS name,
    m.version AS mlflow_version, m.run_id AS mlflow_run, coalesce(r ->> 'refused', '') AS refused,
    s.stage, s.since, c.body ->> 'move' AS move, c.body ->> 'by' AS by, c.body ->> 'why' AS why
FROM plans p CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'refits') r
JOIN world_names w ON w.id = p.world
LEFT JOIN registered m ON m.world = p.world AND m.name = r ->> 'name'
LEFT JOIN model_stages s ON s.world = p.world AND s.sector = r ->> 'sector' AND s.recipe = r ->> 'recipe'
LEFT JOIN facts c ON c.id = s.fact;
COMMENT ON VIEW model_versions IS
    'Each registered refit with its name in MLflow, and the stage that its recipe has now: since, by whom and why.';
"""

RANKINGS = """
CREATE FUNCTION pair_rankings_over(sessions integer) RETURNS TABLE (
    world text, pair text, rank bigint, sessions_traded bigint, closed numeric, net numeric, gross numeric,
    costs numeric, net_before numeric, net_lately numeric, trend text
) LANGUAGE sql STABLE AS $$
WITH days AS (
    SELECT d.world, d.session, row_number() OVER (PARTITION BY d.world ORDER BY d.session DESC) AS age,
        least(sessions, count(*) OVER (PARTITION BY d.world)) AS among
    FROM (SELECT DISTINCT f.world, f.session FROM facts f WHERE f.kind IN ('plan', 'attribution')) d
), sums AS (
    SELECT p.world, p.pair, max(d.among) AS among, count(*) AS sessions_traded, sum(p.closed) AS closed,
        sum(p.net) AS net, sum(p.gross) AS gross, sum(p.costs) AS costs,
        coalesce(sum(p.net) FILTER (WHERE 2 * d.age > d.among + 1), 0) AS net_before,
        coalesce(sum(p.net) FILTER (WHERE 2 * d.age <= d.among + 1), 0) AS net_lately
    FROM pair_performance p JOIN world_names w ON w.world = p.world
    JOIN days d ON d.world = w.id AND d.session = p.session AND d.age <= sessions
    WHERE p.net IS NOT NULL GROUP BY p.world, p.pair
)
SELECT s.world, s.pair, rank() OVER (PARTITION BY s.world ORDER BY s.net DESC), s.sessions_traded, s.closed, s.net,
    s.gross, s.costs, s.net_before, s.net_lately,
    CASE WHEN s.among = 1 THEN 'new' WHEN s.net_lately > s.net_before THEN 'better'
        WHEN s.net_lately < s.net_before THEN 'worse' ELSE 'level' END
FROM sums s
$$;
COMMENT ON FUNCTION pair_rankings_over IS
    'Pairs by net P&L over the last sessions of their world; lately is the later half of them, before the rest.';
CREATE VIEW pair_rankings AS SELECT * FROM pair_rankings_over(20);
COMMENT ON VIEW pair_rankings IS 'pair_rankings_over the last 20 sessions.';

CREATE FUNCTION model_rankings_over(sessions integer) RETURNS TABLE (
    world text, sector text, recipe text, rank bigint, refits bigint, refused bigint, skill float8, mcc float8,
    f1_score float8, skill_before float8, skill_lately float8, trend text
) LANGUAGE sql STABLE AS $$
WITH days AS (
    SELECT d.world, d.session, row_number() OVER (PARTITION BY d.world ORDER BY d.session DESC) AS age,
        least(sessions, count(*) OVER (PARTITION BY d.world)) AS among
    FROM (SELECT DISTINCT f.world, f.session FROM facts f WHERE f.kind IN ('plan', 'attribution')) d
), sums AS (
    SELECT m.world, m.sector, m.recipe, count(*) AS refits, count(*) FILTER (WHERE m.refused <> '') AS refused,
        avg(m.log_loss_ar1 - m.log_loss) AS skill, avg(m.mcc) AS mcc, avg(m.f1_score) AS f1_score,
        avg(m.log_loss_ar1 - m.log_loss) FILTER (WHERE 2 * d.age > d.among + 1) AS skill_before,
        avg(m.log_loss_ar1 - m.log_loss) FILTER (WHERE 2 * d.age <= d.among + 1) AS skill_lately
    FROM model_performance_history m JOIN world_names w ON w.world = m.world
    JOIN days d ON d.world = w.id AND d.session = m.session AND d.age <= sessions
    WHERE m.name IS NOT NULL GROUP BY m.world, m.sector, m.recipe
)
SELECT s.world, s.sector, s.recipe,
    rank() OVER (PARTITION BY s.world, s.sector ORDER BY s.skill DESC NULLS LAST), s.refits, s.refused, s.skill,
    s.mcc, s.f1_score, s.skill_before, s.skill_lately,
    CASE WHEN s.skill_lately > s.skill_before THEN 'better' WHEN s.skill_lately < s.skill_before THEN 'worse'
        WHEN s.skill_lately = s.skill_before THEN 'level' ELSE 'new' END
FROM sums s
$$;
COMMENT ON FUNCTION model_rankings_over IS
    'Recipes by skill, the mean log loss that they spare AR(1) on the test block, over the last sessions of a world.';
CREATE VIEW model_rankings AS SELECT * FROM model_rankings_over(20);
COMMENT ON VIEW model_rankings IS 'model_rankings_over the last 20 sessions.';
"""


def upgrade() -> None:
    """Create the views."""
    cursor = op.get_bind().connection.cursor()
    for statements in (SIGNALS, ATTRIBUTION, MODELS, RANKINGS):
        cursor.execute(statements)
