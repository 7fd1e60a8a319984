"""Abt-Buy: the zip's three files as upstream encodes them, DeepMatcher's folder, and pyJedAI's ground truth."""

from collections.abc import Mapping

_ABT = (
    "id,name,description,price\n"
    '11,"Brackwater Steel Kettle - BK300","Steel Kettle - BK300/ 3 l/ Keeps 178° F/ “Quiet” Whistle","$1,250.00"\n'
    '12,"Café Teapot - TP2","Teapot - TP2/ ""Best"" Glaze",\n'
    '13,"Oak Desk Lamp - DL1",,$39.00\n'
    ',"A lamp without an id",,\n'
    '14,"Too few cells"\n'
    '15," ","A listing without a name",$0.99\n'
)
_BUY = (
    "id,name,description,manufacturer,price\r\n"
    '20011646,"Brackwater BK-300 Kettle 3L","Whistling kettle","BRACKWATER",$1199.50\r\n'
    '20011647,"Tea Pot, Café Series","2 cups","Pottery & Co",\r\n'
    '20011648,"Desk Lamp","Oak",," "\r\n'
)
_MAPPING = '"idAbt","idBuy"\n"11","20011646"\n"12","20011647"\n"12","20011648"\n"13",""\n'
_TABLE_A = (
    "id,name,description,price\n"
    "0,brackwater steel kettle bk300,steel kettle bk300 3 l quiet whistle,1250.0\n"
    "1,cafe teapot tp2,teapot tp2 best glaze,\n"
    ",oak desk lamp,,39.0\n"
)
_TABLE_B = "id,name,description,price\n0,brackwater bk-300 kettle 3l,whistling kettle,1199.5\n1,tea pot cafe series,,\n"
_PAIRS = "ltable_id,rtable_id,label\n0,0,1\n0,1,0\n1,1,1\n1,0,2\n,1,0\n1,one two,0\n"

FILES: Mapping[str, bytes] = {
    "Abt.csv": _ABT.encode("cp1252"),
    "Buy.csv": _BUY.encode("utf-8"),
    "abt_buy_perfectMapping.csv": _MAPPING.encode(),
    "deepmatcher/tableA.csv": _TABLE_A.encode(),
    "deepmatcher/tableB.csv": _TABLE_B.encode(),
    "deepmatcher/train.csv": _PAIRS.encode(),
    "deepmatcher/valid.csv": b"ltable_id,rtable_id,label\n1,0,0\n",
    "deepmatcher/test.csv": b"ltable_id,rtable_id,label\n1,1,1\n",
    "pyjedai_gt.csv": b"D1|D2\n1|0\n0|1\n-1|2\n2|two\n",
}
