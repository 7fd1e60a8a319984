"""The commands of the front door, by what people want of them; `ecinstruct_build.cli` puts them together."""
