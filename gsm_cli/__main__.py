"""`python -m gsm_cli` is `gsm`."""

from gsm_cli.cli.app import app

if __name__ == "__main__":
    app(prog_name="gsm")
