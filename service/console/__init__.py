"""Pages for people on the unit: server-rendered, in Swedish, without any script.

app.py        the routes, and what every answer carries
sessions.py   who is signed in
forms.py      how a form is read, and that it came from one of our own pages
overview.py   the unit's overview: the list, its print view, the status of a sick leave, the summary
sheet.py      what the list shows around its rows: the form, what was chosen in words, warnings
figures.py    the summary as tables
dialogues.py  dialogues with other parties: the list, one, what came with it, the letter
unsorted.py   messages that do not say whom they are about
dialogue_sheet.py, dialogue_forms.py, dialogue_words.py
              what its page shows and offers, how its forms are read, what things are called
timeline.py   a sick leave's degrees over time, as figures to draw
words.py      what is said when something is wrong
rendering.py  templates to answers
"""
