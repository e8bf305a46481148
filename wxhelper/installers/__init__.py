"""Floor 6: entries in other tools' configuration, put in and taken out without a trace.

Only the text of an entry is inserted, and only that text is taken away again:
everything else in a file, its comments, its spaces and its ends of lines are the
user's. Nothing is kept elsewhere for that. What has to be known for an exact undo
can be read from the file: from a comment where there are comments, else from how
the inserted text is spaced. After every change the result is parsed and compared
with what was meant; where it differs, nothing is written.

    kubectl       which user of which kubeconfig runs ``wxhelper exec-credential``
    kubeconfig    one kubeconfig: a user's entry by the positions that a YAML parser gives
    git           credential helpers for hosts, in git's global configuration
    docker        credential helpers for registries, in docker's config.json
    objects       members of JSON objects, and of YAML's that are written alike
    launcher      where the programs are that an entry names
    file          read, compare and replace one file; a change as a diff

A tool's module has ``install`` and ``uninstall``, which return an ``Outcome``, and
``findings``, which looks at what is installed and changes nothing. The package
stands below ``acquire`` and its neighbours, so that a diagnosis may use ``findings``;
who may be given a profile's token is told to it by its callers.
"""
