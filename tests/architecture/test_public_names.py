"""What each room offers to the others. A name that appears or disappears is a decision: change it here too."""

import ast

PUBLIC = {
    "market": """
        Account Bar BrokerError Calendar Clock ConfigError DECISION_EVERY DataError FactConflict Fill
        InvalidBar Leg ManualClock NEW_YORK Order OrderEvent OrderUpdate OutcomeUnknown Pair Position
        RecyclerError Refusal Session Side Span Step Stopwatch StoreError TandemError Timeframe Unit
        WallClock World WorldKind at_once cents costs_in_cents flaw_of follow_parent follow_stdin minutes_between
        new_york_midnight new_york_offsets plain price resample shares whole_shares
    """,
    "config": """
        ALERT_RULES AlertRuleSettings AlertSettings AlpacaSettings CostSettings DateRangeSettings
        DriftSettings ExecutionSettings FaultSettings GarchSettings LifeSettings ModelSettings
        RecyclerSettings RefitSettings RiskSettings RuleSettings ScreenSettings SectorSettings ServeSettings
        Settings Severity ThresholdSettings TrainingSettings TrialSettings TuningSettings WebsocketSettings
        as_yaml connection edit_lists effective is_free load own_certificate trusting unreachable
    """,
    "store": """
        Asked Backup BarDigest Bars Blobs Board Body Entry Facts History Leases Ledger Loaded MemoryFacts
        ModelSession Move PairSession Panel PaperAccount PaperCharge PaperEntry PaperExecution PaperHold
        PaperKept PaperOrder PaperTaken PostgresFacts Record Runs Sectors SignalRow Stage StageChanged
        Stages Store Strip Tail Track Tracking TradeSession Trial TrialCount Vacuumed back_up backups
        checked facts_digest key_of restore turn turn_if_free vacuum
    """,
    "sources": """
        Estimate Layout NO_BARS Reading Simulated TruePair alpaca files made_of samples simulate simulated
    """,
    "statistics": """
        ArchLm ArchLms Band Blocks CointegrationTable CorrelationTable DieboldMariano DieboldMarianos
        Equilibrium GarchFilter GarchFit GarchPath GarchTable HalfLife Hedge HedgeBy HedgePath JarqueBeras
        JohansenTable LjungBox LjungBoxes RefusedPairs RefusedSeries SESSIONS_PER_YEAR Series SharpeRatio
        SimulatedMarkets SimulatedNull SpreadTable Unfit UnitRootTable VariantFit WalkStep all_pairs arch_lm
        arch_lms avg_trade_duration benjamini_hochberg benjamini_yekutieli break_even_cost_bps calmar_ratio
        correlations deflated_sharpe deflated_sharpes diebold_mariano diebold_marianos expected_best_sharpe
        expected_by_chance fit_constant fit_constant_variance fit_equilibrium fit_garch fit_hedge
        fit_hedge_tls fit_spread fit_variant half_life in_chunks jarque_beras kalman_hedge ljung_box
        ljung_boxes mackinnon_pvalues max_drawdown measure_spreads min_track_record one_thread
        probabilistic_sharpe probabilistic_sharpes profit_factor purged_blocks purged_walk_forward qlike
        reversion_probability screen_cointegration screen_johansen screen_unit_roots series_of sharpe_ratio
        simulated_markets simulated_null total_return track_record_length volatilities win_rate
    """,
    "rules": "Action Decision FLAT Observation Stance Trade Trades advance decide inside_band replay",
    "matching": """
        Act Barrier Changed Changes Charge Columns Engine Execution HeldShares Hours LedgerState Minute
        MinuteBars NEXT OrderClass OrderType Piece Place Prices Reel Rejected Replay Request Status StopLoss
        Ticket TimeInForce Timeline forbidden last_closes malformed midnight moved unknown unprocessable
    """,
    "recycler": "FAULTS Launched Options Shelf launch new_account serve standing_world world_of",
    "screening": """
        DISTRIBUTION Engine Funnel Inks LocalEngine Origin PairLife PairState PairTable Passport Progress
        Refusals RefusedPair RuleRecord Score Screen Step SymbolRefused Versions check_asked code_version
        draw_funnel draw_score draw_spread engine_of experiments_of gate_called identify nearest_misses
        next_morning not_looked_at passport_figures refused_rows slug track world_tag
    """,
    "forecast": """
        Assignment BASELINE Calibration Confidence Contender DayModels Evidence Features Forecast
        FurtherFeature Grades Heartbeat Leak MlflowRegistry ModelPipeline ModelRegistered Outcome PairBars
        PairModel Question Ranked Ranking Rating RecipeStaged Registration Search Track Training Trials
        Tried Tuned Verdict act_on as_baseline assign baseline_of challenger_of champion_of compare_split
        decide families feature_set features find_leaks finished forecast_all horizon_of insane is_behind
        labels loss_of means model_name next_version out_of_band outcome owed params_of ranked rate_pairs
        register_feature reverts run_trials take_seat toward track_ranking track_tuning trading_metrics
        train_pair train_pairs training_trials verdict_of watch with_record
    """,
    "signals": "Case Entered PairWatch Signal judge judge_all",
    "risk": """
        Baseline Equity Intent Room Standing Switch breached close_out drifted in_force room_for size_entry
        too_many_orders
    """,
    "execution": """
        AlpacaBroker AlpacaFeed Broker Connection Feed InProcess LiveFeed LockstepClock Origin Outcome
        PairOrder PairOrderEnded Purpose Reconciliation RecyclerTime RollCall Tally Trader at_alpaca
        at_recycler call_roll connect in_process name_of reconcile
    """,
    "book": "Attribution Book Capital Held Mark Parts Quote Trade attribute merge minute_of shared",
    "desk": """
        ConfiguredPair Desk Difference Graded Identification ModelInForce ModelsOfDay Morning Plan RankedDay
        Recycled Refit Rehearsal Shadow Tracked TradingConfiguration Ungraded alpaca_desk
        as_identified assignments_of backtest_desk close_day compare configuration_of copy_plan desk_name
        earned fact_key formation graded identify_day in_one_process kind_of last_configuration minutes
        mlflow_lacks models_of_day newest_of_kind on_record pair_bars plan_of prepare rank_day record_verdict recycled
        refusal_of registry_of run_session search_of sectors_of seen sessions_needed shadow_day shadow_of
        shadow_session split_of symbols_of tell_mlflow through_sockets track_of tracked_of training
        try_challenger tune ungraded visiting_desk watch_champion why_no_trial world_named
    """,
    "operations": """
        Alert AlertWatch Answer Brief Comparison DeskProcesses FlowDone FlowName KeptBackup LiveMetrics
        Measured Metrics Night PICTURES ProcessChanged RecipeStanding Replay Roster Step Summary Venue Work
        alert_rules alert_targets alerts_of attribute_over attribution_history brief_of change_document
        check_target compare_models compare_pairs compare_periods configure_logs count_backtest
        daily_document do_flow end_leftovers evolution_drawing figures_of findings_document keep_up
        kept_backups metrics_route metrics_text model_history must_be_alone only_one pair_history picture print_findings
        print_hints print_passport print_ranking print_refusals print_summary print_tuning ranking_csv
        ranking_document record_attribution record_grades roster_of secrets_of serve_dashboard serve_flows
        serve_models side_by_side signal_history standing_document standings_of summarise tidy_day
        trade_days trial_message watched weekly_document without_minutes write_daily write_report write_summary
        write_weekly
    """,
    "cli": "main",
}


def offered(modules):
    """The names in each room's `__all__`, and those that are imported into its `__init__`."""
    for module in modules:
        if module.is_package and module.name == f"tandem.{module.room}":
            nodes = [node for node in module.tree.body if isinstance(node, ast.Assign)]
            lists = [ast.literal_eval(node.value) for node in nodes if getattr(node.targets[0], "id", "") == "__all__"]
            yield module.room, " ".join(sorted(lists[0])) if lists else ""


def test_each_room_offers_what_the_table_says(modules):
    known = {room: " ".join(sorted(names.split())) for room, names in PUBLIC.items()}
    changed = {room: names for room, names in offered(modules) if known.get(room) != names}
    assert "\n".join(f'"{room}": "{names}",' for room, names in changed.items()) == ""


def test_the_table_names_no_room_that_is_gone(modules):
    assert set(PUBLIC) <= {module.room for module in modules}
