"""Two folders in DeepMatcher's form with different columns, one of them of a shop's own."""

from collections.abc import Mapping

_BEERS = (
    "id,Beer_Name,Brew_Factory_Name,Style,ABV\n"
    "0,Millrace Dark,Millrace Brewery,Porter,5.20 %\n"
    "1,Harbour Pale &amp; Dry,Tidewater,,-\n"
)
_OTHER_BEERS = (
    "id,Beer_Name,Brew_Factory_Name,Style,ABV\n0,Millrace Dark Porter,Millrace,Porter,5.20%\n1,,Tidewater,Ale,\n"
)
_TOYS = 'ID,Name,id,NAME\n9,Wooden Train,t 1,Train\n9,Wooden Train,t1,"Train, wooden"\n9, ,t2,Kite\n'
_OTHER_TOYS = (
    "id,title,name,description,manufacturer,brand,price,category,age\n"
    "T1,Train,Wooden train set,Eight parts,,Sprig,9.50,Toys,3+\n"
)

FILES: Mapping[str, bytes] = {
    "Structured/Beer/exp_data/tableA.csv": _BEERS.encode(),
    "Structured/Beer/exp_data/tableB.csv": _OTHER_BEERS.encode(),
    "Structured/Beer/exp_data/train.csv": b"ltable_id,rtable_id,label\n0,0,1\n1,0,0\n",
    "Structured/Beer/exp_data/valid.csv": b"ltable_id,rtable_id,label\n1,1,0\n",
    "Structured/Beer/exp_data/test.csv": b"ltable_id,rtable_id,label\n0,1,0\n",
    "our toys/tableA.csv": _TOYS.encode(),
    "our toys/tableB.csv": _OTHER_TOYS.encode(),
    "our toys/train.csv": b"id,ltable_id,rtable_id,label\n0,t1,T1,1\n1,t2,T1,0\n",
}
