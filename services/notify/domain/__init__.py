"""The rules of notification: whom, on which channel, in which words, when again, when not. Pure."""
