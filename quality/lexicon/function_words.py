"""Telling words of some languages: small ones, and those of every shop. Brands and model names hold none.

They settle what models of character sequences doubt: ``Sony black camera with zoom lens`` is English whatever
its names look like, ``un papillon a une étoile`` is French however short.
"""

import re
from collections.abc import Mapping
from functools import cache

FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "all an and are as at be been but by can do for from has have if in is it its my no not of on or our out "
        "so that the their there they this to up was we were what when which will with would you your",
        "es": "al como con de del el en entre es esta este está ha la las le lo los mi muy más no o para pero por que "
        "se sin sobre son su un una unas unos y",
        "fr": "au aux avec c ce cette d dans de des du elle en est et il je l la le les mais n ne nous ou par pas plus "
        "pour qu que qui sa sans se ses son sur très un une vous",
        "de": "aber als am an auch auf aus bei das dem den der des die durch ein eine einen einer es für ich im in ist "
        "kein keine keinen mir mit nach nicht noch nur oder ohne sehr sich sind sie und unter vom von war wenn "
        "werden wir wird wurde zu zum zur über",
        "it": "al alla come con da dal dei del della delle di e gli i il in l la le lo ma nel nella non o per più "
        "questa questo senza si sono su sul un una è",
        "pt": "a ao as com como da das de do dos e em esta este foi mais mas muito na nas no nos não o os ou para por "
        "que se sem seu sua um uma à é",
        "nl": "aan als bij dat de deze die dit door een en er geen heeft het ik in is je kan maar met mijn naar niet "
        "nog of om ook op te tot uit van voor was wordt zijn zonder",
        "pl": "bez dla do i jak jest lub na nie o od po przez przy się w z za że",
    }.items()
}
"""By ISO 639-1 code, in lower case."""

SHOP_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "black blue boys brown dark girls green grey kids ladies large men mens pink purple red shoes "
        "small white women womens yellow",
        "es": "amarillo azul blanca blanco bolsa botas calzado camiseta dorado funda gris hombre mujer naranja "
        "negra negro niña niño niños pantalla plata plateado reloj roja rojo rosado verde zapatillas "
        "zapatos",
        "fr": "argent blanc blanche bleu bleue chaussures couleur enfant femme femmes fille garçon gris homme "
        "hommes jaune marron montre noir noire pochette rouge sac vert verte veste",
        "de": "armbanduhr blau braun damen damenuhr farbe gelb grau grün hellblau herren herrenuhr hülle jungen "
        "kinder mädchen rot schuhe schwarz silber tasche uhr weiss weiß",
        "it": "arancione argento azzurro bambina bambini bambino bianca bianco blu borsa donna giallo grigio "
        "marrone nera nero orologio rossa rosso scarpe uomo",
        "pt": "amarelo azul branca branco capa castanho cinza criança feminino homem masculino mulher prateado "
        "preta preto relógio sapatos verde vermelho",
        "nl": "blauw bruin dames geel grijs groen heren hoesje horloge jongens kinderen meisjes rood schoenen "
        "voetbalschoenen wit zilver zwart",
        "pl": "białe biały brązowy buty chłopięce czarne czarny czerwony damski damskie dziecięce męski męskie "
        "niebieski obuwie szary zegarek zielony",
    }.items()
}
"""Words that half of all titles in a shop hold, and names hardly ever: colours, whom a thing is for."""

_WORD = re.compile(r"[^\W\d_]+")


def weigh(text: str, language: str, other: str) -> tuple[int, int]:
    """Count a text's distinct telling words of one language that the other has not, and the reverse.

    Languages without a list have none.
    """
    mine, theirs = _telling(language), _telling(other)
    words = frozenset(_WORD.findall(text.casefold()))
    return len(words & (mine - theirs)), len(words & (theirs - mine))


def best_witness(text: str, expected: str) -> str:
    """Return the language, other than the expected one, most of whose telling words a text holds; "" if none."""
    words = frozenset(_WORD.findall(text.casefold()))
    home = _telling(expected)
    counts = {name: len(words & _telling(name) - home) for name in FUNCTION_WORDS if name != expected}
    most = max(counts.values())
    return next(name for name in counts if counts[name] == most) if most else ""


@cache
def _telling(language: str) -> frozenset[str]:
    return FUNCTION_WORDS.get(language, frozenset()) | SHOP_WORDS.get(language, frozenset())
