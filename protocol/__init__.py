"""What both ends of the wire share: names, shapes, codes and state tables. Pure data; only `client` does I/O."""
