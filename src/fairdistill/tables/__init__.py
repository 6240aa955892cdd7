"""Reading tables of any software: CSV, TSV, JSON Lines, Parquet, Arrow; needs no torch."""
