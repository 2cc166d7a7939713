"""The rules that are judged by the network: links, the one-click endpoint, and the domain that sends."""
