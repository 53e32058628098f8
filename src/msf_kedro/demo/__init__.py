"""A page to play with: pick a clip, describe classes, and see what it is recognised as.

    playground = Playground(model, offers)
    server(application(playground)).run(sockets=[listen(8321)])

It needs the extra `demo` (Starlette and uvicorn), and neither Kedro nor a study.
"""
