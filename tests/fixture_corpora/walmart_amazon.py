"""Walmart-Amazon in the structured form of DeepMatcher's authors."""

from collections.abc import Mapping

_TABLE_A = (
    "id,title,category,brand,modelno,price\n"
    "0,brackwater steel kettle 3 l,kitchen - kettles,brackwater,bk300,49.88\n"
    '1,"oak desk lamp , 13 in",lighting,lumen,,\n'
    "2,,lighting,lumen,dl9,12.5\n"
    "3,spare lid,kitchen\n"
)
_TABLE_B = (
    "id,title,category,brand,modelno,price\n"
    "0,brackwater bk300 whistling kettle,kettles & pots,brackwater,bk300,52.0\n"
    "1,oak table lamp,desk lamps,,,19.99\n"
)

FILES: Mapping[str, bytes] = {
    "exp_data/tableA.csv": _TABLE_A.encode(),
    "exp_data/tableB.csv": _TABLE_B.encode(),
    "exp_data/train.csv": b"ltable_id,rtable_id,label\n0,0,1\n1,0,0\n0,0,maybe\n",
    "exp_data/valid.csv": b"ltable_id,rtable_id,label\n1,1,0\n",
    "exp_data/test.csv": b"ltable_id,rtable_id,label\n2,1,0\n",
}
