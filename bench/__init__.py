"""`make bench`: galaxy_mail and its peers on one PostgreSQL and one SMTP sink, in one run.

::

    __main__    the run: every measure in turn, the table, the JSON, the page
    book        what was measured: samples by key, medians, failures
    keys        every key, its unit, what it means and what was aimed at
    sizes       how much of everything: full and QUICK
    rig         what all measures stand on: the database server, fresh databases, sinks, child processes
    sink        our own SMTP sink, a program: notes when each copy's final dot was read
    ours        galaxy_mail as a contestant;  peers/  the others
    measures    one module for each question
    page, chart docs/explanation/performance.md and its plots
"""
