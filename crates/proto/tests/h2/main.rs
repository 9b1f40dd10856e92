//! HTTP/2: a test for each thing that RFC 9113 says must be, named by its section; limits, cuts, both roles on one connection.

mod cuts;
mod end;
mod limits;
mod misuse;
mod raw;

mod section_3;
mod section_4;
mod section_5_1;
mod section_5_2;
mod section_5_4;
mod section_6_data;
mod section_6_headers;
mod section_6_settings;
mod section_8_1;
mod section_8_2;
mod section_8_3;
mod section_8_4;
