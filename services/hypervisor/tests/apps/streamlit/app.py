import streamlit

count = streamlit.session_state.setdefault("count", 0)
if streamlit.button("Count"):
    count = streamlit.session_state.count = count + 1
streamlit.write(f"counted to {count}")
