"""Forecasts that a pair's own GRU is compared with, all asked the same way; one file each."""

from tandem.forecast.rivals.field import fit_baselines, fit_rivals
from tandem.forecast.rivals.from_distance import FromDistance, ar1
from tandem.forecast.rivals.pooled_gru import fit_pooled
from tandem.forecast.rivals.rival import Rival
from tandem.forecast.rivals.scaled_gru import ScaledGru, fit_scaler, held_out, taught

__all__ = [
    "FromDistance",
    "Rival",
    "ScaledGru",
    "ar1",
    "fit_baselines",
    "fit_pooled",
    "fit_rivals",
    "fit_scaler",
    "held_out",
    "taught",
]
