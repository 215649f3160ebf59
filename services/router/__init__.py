"""The router: lane, state, team and work items of each request; runs BPMN; owns released definitions."""
