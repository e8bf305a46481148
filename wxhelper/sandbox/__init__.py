"""Floor 6: IBM's servers, on loopback. For trying wxhelper out, and for every test.

    with sandbox.Sandbox(directory) as box:
        variables = environment.lay_out(box, directory, ["wxhelper"])
        box.faults.add(faults.Fault(match="iam", status=429, headers={"Retry-After": "7"}))

A sandbox knows one made-up API key for each family of services, none of which is any
good at another, and serves the same paths over http and over https. It listens on
127.0.0.1 and contacts nobody. Its tokens look like IBM's and are worth nothing
anywhere else.

    sandbox       the whole: starts, routes, stops
    environment   a configuration, a kubeconfig and the variables that lead to it

    service       what a service is, and what all services share
    iam             IBM Cloud IAM: an API key becomes a token, a token a profile's
    mcsp            the SaaS platform's token services: watsonx on AWS and in GovCloud
    cloudpak        Cloud Pak for Data, the platform below Data Product Hub
    api             a protected API in the manner of watsonx.ai
    dph             Data Product Hub: a list of data products
    kubernetes      as much of an API server as `kubectl get pods` asks for
    registry        a container registry with one image
    issuer        the tokens that were issued, and which are still good
    journal       the requests that came in

    faults        what goes wrong on demand
    messages      a request, an answer
    wire          an answer on its way to the client, faults included
    server        sockets, threads, TLS, HTTP/1.1
    certs         a certificate authority for one afternoon

One more service is one more file and one more entry in ``sandbox.SERVICES``.
Nothing in here is known to the rest of wxhelper but the command that starts it.
"""

from wxhelper.sandbox.faults import Fault
from wxhelper.sandbox.sandbox import Sandbox

__all__ = ["Fault", "Sandbox"]
