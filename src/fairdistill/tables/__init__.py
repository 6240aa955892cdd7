"""Reading tables of any software: CSV, TSV, Parquet; needs no torch."""
