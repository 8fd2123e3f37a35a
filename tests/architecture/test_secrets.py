"""Nothing that looks like a credential is in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = {
    "Alpaca key": re.compile(r"\b[APC]K[A-Z0-9]{18,24}\b"),
    "AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "access token": re.compile(r"\b(?:ghp|gho|github_pat|glpat|xox[abp]|sk|hf)[_-][A-Za-z0-9_\-]{20,}"),
    "secret in quotes": re.compile(
        r"(?i)\b\w*(?:secret|password|passwd|token)\w*[\"']?\s*[=:]\s*[\"'](?=[^\"']*\d)[A-Za-z0-9/+=_\-]{20,}[\"']"
    ),
}


def tracked():
    """Every tracked text file."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout: nothing is tracked")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def credentials(text):
    """What looks like a credential: its kind and its first letters."""
    return [f"{kind}: {found.group()[:8]}..." for kind, pattern in PATTERNS.items() for found in pattern.finditer(text)]


def test_no_tracked_file_holds_a_credential():
    found = [
        f"{path.relative_to(ROOT)} {credential}"
        for path in tracked()
        for credential in credentials(path.read_bytes().decode("utf-8", errors="ignore"))
        if path.suffix not in (".parquet", ".png", ".lock")
    ]
    assert "\n".join(found) == ""


@pytest.mark.parametrize(
    "text",
    [
        "P" + "K" + "A1B2C3D4E5F6G7H8I9",
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        "secret_key = " + "'" + "a1" * 20 + "'",
        "ghp_" + "a1B2" * 9,
    ],
)
def test_a_credential_is_found(text):
    assert credentials(text)
