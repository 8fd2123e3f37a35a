"""What a month of shipped bars allows, for whoever runs whole days on them."""

from typing import Any, Final

SYMBOLS: Final = ("AAPL", "IBM", "MSFT", "NVDA")
LESS: Final[dict[str, dict[str, Any]]] = {
    "screen": {"formation_days": 7},
    "model": {"timeframe": "5Min", "min_data_points": 400, "epochs": 15},
}
