"""wxhelper: one IBM watsonx API key, and a fresh token for every tool that asks.

The way of one request, from the command to the printed token:

    1 door            what is asked, by which protocol, for which host?
    2 record          is there a token on disk: ours, private, about the same
                      configuration, not yet due?                            -> 8
    3 profiles        which profile: source, settings, reference to the key
    4 cache           one process at a time from here; read once more        -> 8
    5 manager         the one plugin that offers this kind of source
    6 source          key -> token, over the transport it is handed
    7 cache           write the record by rename; let go
    8 protocols       print it

``acquire`` tells steps 3 to 7 in that order. A hit is steps 1, 2 and 8 only: it
imports the modules marked * and nothing else, takes no lock, writes nothing and
opens no socket.

The rooms, from the top floor down; imports go down only:

    8 door *          the entry of every command
    7 cli             one file per verb
    6 doctor          what is wrong, and what to type next
      acquire         the use case                sandbox    IBM's servers, on loopback
      standing        how each profile stands, by what can be seen from here
      installers      entries in the configuration of kubectl, git and docker
    5 manager         finds the one plugin that a profile names
      source          a profile's source at work: settings, key, token
    4 plugin          all that a plugin may import: hookspecs, types, endpoint,
                      transport, wire (which sends by requests), exchange, replies,
                      keyforms; and what they and diagnosis need: surroundings,
                      deadline, probe, certificate
    3 profiles        config.toml                 secret     keys and references to them
      editor          config.toml, changed
      audience        who may be given a token, as a profile says it
      command         a program that is asked about a key
      credentials     the file that IBM's SDKs read
      keystore        where login keeps keys
      keyrings        the system's keyring
      keyring_child   asks it, in a process of its own
      cache           what is kept on disk, and whose turn it is
    2 record *        one cached token as text    paths *    where things are kept
      hosts *         who may be given a token
      words           durations and lists, as people say them
      protocols *     what other programs read    lookups    what an answer depended on
      fingerprint *   a value that can be compared without being kept
      reference       where a key is, as it may be shown
      document        a TOML text, changed in one place
      files           private from the first moment, whole or as they were
    1 tokens *        a token and its times
    0 errors          what can go wrong, and what to do then

A protocol names its own file; the door imports the one that was asked for, and
``fingerprint`` when a record depends on a variable.
"""

__version__ = "0.1.0"
