"""Reviews whose words contradict their stars: a rule of strong phrases, for extremes only.

General sentiment lexicons do not serve here: they take a grim novel for a bad review and a longing for better days
for a good one. A review contradicts its stars if it says in set phrases what the other end of the scale would say,
and nothing at all of what its own end would. English only.
"""

import re
from typing import Literal

from ecinstruct_build.patterns import compiled_later

Extreme = Literal["very positive", "very negative"]

_CONDEMNING = (
    r"(?:complete|total|utter|huge|big|absolute|such a|what a) waste",
    r"waste (?:of|your|my) (?:\w+ )?(?:money|time)",
    r"(?:money|time) (?:down the drain|wasted)",
    r"(?:do not|don t|dont|can t|cannot|(?:will |would )?never) (?:ever )?"
    r"(?:bother|recommend|waste|(?:buy|order|purchase) (?:this|these|it|them|from|again|another))",
    r"(?:want|get|got|give me|asked for|demand(?:ed|ing)?) (?:my |a |our )?(?:full )?(?:money back|refund)",
    r"(?:piece|bunch|load) of (?:junk|crap|garbage|trash|rubbish)",
    r"(?:total|complete|absolute|pure|utter|such) (?:junk|crap|garbage|trash|rubbish|rip ?off|scam|disaster)",
    r"(?:very|extremely|so|really|totally|completely|deeply|sorely) "
    r"(?:disappointed|disappointing|unhappy|dissatisfied)",
    r"(?:terrible|horrible|awful|lousy|worst|poor|very bad) "
    r"(?:product|quality|purchase|service|magazine|item|buy|experience|investment|thing|company|fit|design)",
    r"(?:threw|throw|thrown|throwing) (?:it|them|this) (?:out|away|in the (?:trash|garbage))",
    r"(?:zero|no|0) stars",
    r"stay (?:far )?away from this",
    r"(?:stopped|quit) working (?:after|within|in)",
    r"(?:is|was|are|were) (?:just |simply |absolutely )?"
    r"(?:horrible|terrible|awful|useless|worthless|garbage|junk|crap)",
)
_PRAISING = (
    r"(?:highly|definitely|strongly|totally) recommend(?:ed)?",
    r"(?:i|we|he|she|they|and|absolutely|really|just) (?:\w+ )?loves? (?:it|them|this|these|the|my|her|his)",
    r"(?:love|loves|loved) (?:it|them|this|these)",
    r"(?:five|5) stars?",
    r"(?:works?|fits?|worked) (?:great|perfectly|perfect|like a charm|wonderfully|beautifully)",
    r"(?:very|so|really|extremely|totally) (?:happy|pleased|satisfied) with",
    r"(?:excellent|fantastic|wonderful|amazing|awesome|great|perfect|superb|outstanding) "
    r"(?:product|quality|purchase|service|magazine|item|buy|gift|value|price|album|shoes?|fit)",
    r"(?:is|was|are|were) (?:just |simply |absolutely |truly )?"
    r"(?:perfect|excellent|fantastic|awesome|amazing|wonderful)",
    r"(?:my|one of my|all time) favou?rites?",
    r"(?:exactly|just) what (?:i|we|she|he) (?:wanted|needed|was looking for)",
    r"would (?:definitely |certainly )?(?:buy|order|purchase) (?:it |this |them |these )?again",
)
_KIND = (
    "amazing appreciate awesome banger bangin beautiful beautifully best better brilliant catchy classic classics "
    "comfortable cool cute delicious delighted delightful dope easy enjoy enjoyable enjoyed enjoying enjoys "
    "essential excellent fan fans fantastic favorite favorites favourite fine finest fresh fun gem genius glad "
    "good gorgeous great greatest happy helpful highly hot impressed impressive incredible informative "
    "interesting killer legend legendary like liked likes love loved loves loving masterpiece memorable must nice "
    "nicely outstanding perfect perfectly phenomenal pleased powerful pretty reasonable recommended refreshing "
    "rocks satisfaction satisfied satisfying solid soulful strong stunning super superb sweet talent talented "
    "terrific thank thanks tight timeless underrated useful well wonderful wonderfully works worth yes"
)
_UNKIND = (
    "ad ads advertisements aint although angry annoyed annoying arent awful bad badly barely beware big boring "
    "break breaks broke broken but cancel canceled cancelled cannot cant careful cheap cheaply complain complaint "
    "complaints could crap damaged dead defective despite didnt died dies disappoint disappointed disappointing "
    "disappointment disappoints doesnt dont dumb even except expensive faded fail failed fails failure fake fell "
    "flimsy garbage had hardly hate hated hates horrible however hurt hurts hype if instead isnt issue issues "
    "itchy joke junk lack lacking lacks lame large larger late less loose missing mistake never no none nor not "
    "nothing old once only overpriced overrated pathetic poor poorly problem problems rather refund regret return "
    "returned returning rip ripped ripping ruined sadly scam short should shrunk small smaller sorry still "
    "stopped stupid suck sucked sucks suppose supposed supposedly t tear terrible thin though tight too torn "
    "trash ugly uncomfortable unfortunately unhappy unless until untrue upset used useless warning wasnt waste "
    "wasted wasting were what why wish wished without wont worse worst worthless would wouldnt wrong wrongly yet"
)


def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return compiled_later(rf"\b(?:{'|'.join(phrases)})\b")


_TURNS = "although but except however other others though unless unlike until"
"""Words after which a review may take back what it said."""


_WORD = compiled_later(r"[^\W_]+")
_NOT_KIND = compiled_later(
    r"\b(?:not|never|t|cannot|nothing|no) (?:\w+ ){0,2}?"
    r"(?:recommend|recommended|like|good|worth|great|well|work|works|happy|fun|enjoy)\b"
)
_CONDEMNS = _any_of(_CONDEMNING)
_PRAISES = _any_of(_PRAISING)
_KIND_WORDS = frozenset(_KIND.split())
_UNKIND_WORDS = frozenset(_UNKIND.split())
_TURN_WORDS = frozenset(_TURNS.split())


def contradiction(text: str, answer: Extreme) -> str | None:
    """Return the phrases in which a review says the contrary of its stars, or None.

    Parameters
    ----------
    text
        The review.
    answer
        What its stars say.
    """
    plain = " ".join(_WORD.findall(text.casefold()))
    if answer == "very positive":
        phrases, said, own = _CONDEMNS.findall(plain), _NOT_KIND.sub(" ", plain).split(), _KIND_WORDS
    else:
        phrases, said, own = _PRAISES.findall(plain), plain.split(), _UNKIND_WORDS
    distinct = list(dict.fromkeys(phrases))
    if not distinct or not _TURN_WORDS.isdisjoint(said):
        return None
    # A second phrase outweighs one stray word of the other kind.
    return "; ".join(distinct) if sum(word in own for word in said) <= (len(distinct) > 1) else None
