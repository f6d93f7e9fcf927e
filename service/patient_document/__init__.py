"""The patient's own document of a plan: what it says (``words``), and how it looks as a page and on paper (``html``, ``pdf``).

Plain Swedish for the person whom the plan is about: no code, no number of hers, no word that only care uses. What is held
back is not there, and nothing tells that anything is (docs/plan.md).
"""
