"""Polars, lazily, through its expressions. Its sinks keep the row order by default.

The runner sets POLARS_MAX_THREADS. Dates are parsed because the others parse them.
"""

import polars as pl

from engines.common import NPX_ABOVE, ZSTD_LEVEL, main


def run(work, file, out):
    f = pl.scan_csv(file, separator="\t", null_values={"npx": "NA"}, try_parse_dates=True)
    if work == "groupby":
        return f.group_by("panel").agg(pl.len(), pl.col("npx").mean()).collect().rows()
    if work == "count":
        return f.select(pl.len()).collect().rows()
    if work == "distinct":
        return f.select(pl.col("assay").n_unique()).collect().rows()
    if work == "filter":
        f.filter((pl.col("npx") > NPX_ABOVE) & (pl.col("panel") == "Oncology")).sink_csv(out)
    if work == "convert":
        f.sink_parquet(out, compression="zstd", compression_level=ZSTD_LEVEL)


if __name__ == "__main__":
    main(run)
