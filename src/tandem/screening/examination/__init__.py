"""The spreads of cointegrated pairs: half-life, hedge, GARCH, residuals and the composite score."""
