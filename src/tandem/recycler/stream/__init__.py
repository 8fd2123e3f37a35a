"""The market-data stream: bars in frames that are made once for all clients."""
