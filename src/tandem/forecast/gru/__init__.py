"""A small GRU: many trained at once by compiled loops, each asked with NumPy."""

from tandem.forecast.gru.lesson import Assignment, Epoch, Lesson
from tandem.forecast.gru.network import Gru, Weights
from tandem.forecast.gru.training import train_gru, train_grus

__all__ = ["Assignment", "Epoch", "Gru", "Lesson", "Weights", "train_gru", "train_grus"]
