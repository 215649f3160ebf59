"""The router: lane, state, team and work items of each request; owns what is released."""
