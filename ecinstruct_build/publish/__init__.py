"""Publishing: samples become a folder of Parquet shards with a dataset card and a manifest."""
