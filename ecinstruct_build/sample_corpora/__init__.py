"""Sample corpora: a made-up shop world, written as every source's upstream files.

The build can be tried and tested without a download. Products, shoppers, queries and questions are generated in our
own words with upstream's quirks, and with defects planted on purpose that a ledger beside the files names one by one.
"""

from ecinstruct_build.sample_corpora.generate import LEDGER, USUAL, Summary, write_sample_corpora, written_sources
from ecinstruct_build.sample_corpora.ledger import Entry, Place

__all__ = ["LEDGER", "USUAL", "Entry", "Place", "Summary", "write_sample_corpora", "written_sources"]
