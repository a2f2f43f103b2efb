"""Budget Manager's one application: rules, models, queries, actions, tasks and doors."""
