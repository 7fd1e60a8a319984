"""Amazon question/answer data, in both forms."""

from fixture_corpora.forms import literal_lines, zipped

_SINGLE = {
    "questionType": "yes/no",
    "asin": "B00KETTLE1",
    "answerTime": "Mar 9, 2014",
    "unixTime": 1394352000,
    "question": "Does the whistle stop when the lid is open?",
    "answerType": "Y",
    "answer": "It does, as soon as you lift it.",
}
_OPEN = {
    "questionType": "open-ended",
    "asin": "b00mugset3",
    "answerTime": "Apr 1, 2014",
    "question": "how tall are the mugs",
    "answer": "About four inches, I'd say.",
}

_ANSWER = (
    "{'answerText': u'Nine minutes on \"high\".', 'answererID': u'A2TEADRINKER', 'answerTime': u'May 2, 2015', "
    "'helpful': [3, 4]}"
)
_UNVOTED = "{'answerText': u'No idea, caf\\xe9 owner here.', 'answererID': u'A3BARISTA', 'helpful': [0, 0]}"
_DECIDED = (
    "{'answerText': u'Yes.', 'answererID': u'A2TEADRINKER', 'answerTime': u'May 3, 2015', 'helpful': [0, 1], "
    "'answerType': 'Y', 'answerScore': '0.9120'}"
)
_BLANK = "{'answerText': u'  ', 'answererID': u'A4SILENT', 'answerTime': u'May 3, 2015', 'helpful': [1, 1]}"


def _asked(kind: str, words: str, *answers: str) -> str:
    return (
        f"{{'questionType': '{kind}', 'askerID': u'A1ASKER', 'questionTime': u'May 1, 2015', "
        f"'questionText': {words}, 'answers': [{', '.join(answers)}]}}"
    )


def _product(asin: str, *questions: str) -> str:
    return f"{{'asin': '{asin}', 'questions': [{', '.join(questions)}]}}"


_BOIL = _asked("open-ended", 'u"How long until it\'s boiling?"', _ANSWER, _UNVOTED, _BLANK)

FILES = {
    "qa_Home_and_Kitchen.json.gz": zipped(
        literal_lines(
            _SINGLE,
            _OPEN,
            _OPEN | {"question": "How tall  are the MUGS", "answer": "Ten centimetres."},
            _OPEN | {"asin": "B00TEAPOT2", "question": "Which spout?", "answer": " "},
            _SINGLE | {"questionType": "rhetorical"},
            _SINGLE | {"question": "  "},
            {key: value for key, value in _SINGLE.items() if key != "asin"},
            "{'asin': 'B00KETTLE1', 'question': __import__('os').getcwd()}",
            _SINGLE,
            _OPEN | {"asin": "B00KETTLE1", "question": "How long until it's  boiling?", "answer": "Ages."},
        )
    ),
    "icdm/QA_Home_and_Kitchen.json.gz": zipped(
        literal_lines(
            _product("B00KETTLE1", _BOIL, _asked("yes/no", "u'Is it caf\\xe9 grade?'", _DECIDED), _BOIL),
            _product("B00TEAPOT2"),
            _product("B00MUGSET3", _asked("open-ended", "u''", _ANSWER)),
            _product("B00MUGSET3", _asked("open-ended", "u'Why?'", _ANSWER.replace("[3, 4]", "[-1, 4]"))),
            _product("B00MUGSET3", _asked("open-ended", "u'Why three?'")),
        )
    ),
}
